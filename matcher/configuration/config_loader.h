// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// From configuration files to a validated Config. Pure: no file is opened here.
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "matcher/configuration/config.h"

namespace whawty {

struct ConfigText {
  std::string file;     // the path as messages show it
  std::string machine;  // of a file of machines.d the machine's name; empty for the main file
  std::string content;
};

struct LoadedConfig {
  Config config;
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
