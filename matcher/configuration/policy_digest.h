// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// One number for a whole configuration, by which records say what was decided by what.
#pragma once

#include <span>
#include <string>

#include "matcher/configuration/config_loader.h"

namespace whawty {

// The SHA-256 of what sha256sum(1) prints of these files, the main one first, when it is called in the main
// file's folder: 64 hexadecimal digits.
std::string policy_digest(std::span<const ConfigText> files);

}  // namespace whawty
