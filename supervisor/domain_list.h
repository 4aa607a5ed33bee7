// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The list of domains that may be changed, whatever the configuration says.
#pragma once

#include <string>
#include <vector>

namespace whawty {

// One name or UUID a line, the latter given back in lower case; blank lines, and those that begin with #, say
// nothing. Throws std::runtime_error
// when the file cannot be read, is larger than 256 KiB, or, if that matters, is not to be trusted.
std::vector<std::string> read_domain_list(const std::string& path, bool trusted_only);

}  // namespace whawty
