// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Where fuzzing starts: inputs that a target takes, made from the values that they stand for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace whawty::fuzz {

// At least one for every target.
std::vector<std::string> seeds(std::string_view target);

}  // namespace whawty::fuzz
