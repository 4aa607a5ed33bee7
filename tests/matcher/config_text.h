// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A configuration as text, one value a line: what the corpus compares.
#pragma once

#include <string>

#include "matcher/configuration/config_loader.h"

namespace whawty::testing {

std::string to_text(const LoadedConfig& loaded);

}  // namespace whawty::testing
