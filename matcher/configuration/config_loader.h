// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// From configuration files to a validated Config. Pure: no file is opened here.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "matcher/configuration/config.h"
#include "matcher/configuration/yaml_tree.h"

namespace whawty {

struct ConfigText {
  std::string file;     // the path as messages show it
  std::string machine;  // of a file of machines.d the machine's name; empty for the main file
  std::string content;
};

// Where a machine stands, for what is to be said of it later.
struct MachinePlace {
  std::size_t file = 0;             // of those that were loaded
  YamlPosition name;                // of a file of machines.d its beginning
  std::vector<YamlPosition> rules;  // the first values of each
};

struct LoadedConfig {
  Config config;
  std::vector<MachinePlace> places;  // of its machines
  std::vector<std::string> notices;  // what the log should say, e.g. that a machine was replaced
};

struct ConfigError {
  std::string message;  // "file:line:column: key: what is wrong, what is expected", one printable line
  std::vector<std::string> source;  // the line of the file and a caret below, printable; or nothing
};

// Loads a whole configuration: the main file first, then those of machines.d sorted by name. A machine of
// machines.d that the main file has too replaces that one whole, at its place in the order; what it replaces
// may lack devices and conditions.
std::variant<LoadedConfig, ConfigError> load_config(std::span<const ConfigText> files);

}  // namespace whawty
