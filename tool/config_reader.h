// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The files of a configuration, found and read as the daemon does it.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "matcher/configuration/config_loader.h"

namespace whawty {

struct ConfigTexts {
  std::vector<ConfigText> files;
  std::vector<std::string>
      notices;  // what is ignored, and what the daemon would not trust as root; printable
};

// The main file and those of machines.d beside it, as this user; or what the daemon would say of them.
std::variant<ConfigTexts, std::string> read_config_texts(const std::string& path);

}  // namespace whawty
