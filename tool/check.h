// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What `check` finds: what the daemon refuses, and what it takes and is probably wrong.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "matcher/configuration/config_loader.h"
#include "tool/host.h"
#include "tool/json.h"
#include "tool/text_layout.h"

namespace whawty {

// One printable line, "file:line:column: ...", and the line of the file with a caret below, if there is one.
struct Finding {
  std::string message;
  std::vector<std::string> source{};
};

// The first is what the daemon says, in its words. Then those of files of machines.d that have mistakes of
// their own. Nothing if the daemon takes the configuration.
std::vector<Finding> mistakes(std::span<const ConfigText> files);

// In the order of the configuration.
std::vector<Finding> warnings(const LoadedConfig& loaded, std::span<const ConfigText> files,
                              const Host& host);

std::string findings_text(const std::vector<Finding>& mistakes, const std::vector<Finding>& warnings,
                          const Style& style);
Json findings_json(const std::vector<Finding>& mistakes, const std::vector<Finding>& warnings);

}  // namespace whawty
