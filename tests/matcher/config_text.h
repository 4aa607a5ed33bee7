// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Configurations from text and as text.
#pragma once

#include <string>

#include "matcher/configuration/config_loader.h"
#include "tests/values.h"

namespace whawty {

// Throws std::runtime_error for one that is refused.
Config load(const std::string& yaml);

// The machines as yaml_of() has them.
inline Config config(const std::string& machines, const std::string& keys = "interval: 1h") {
  return load(yaml_of(machines, keys));
}

// One value a line: what the corpus compares.
std::string to_text(const LoadedConfig& loaded);

}  // namespace whawty
