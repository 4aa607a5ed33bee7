// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Where a device is plugged, as its name in sysfs says it.
#pragma once

#include <string>
#include <vector>

namespace whawty {

// The ports on the way to a device, from the host's own hub on: 3-1, 3-1.4 and 3-1.4.2 for "3-1.4.2". Each
// but the last has a hub. Any other name, as "usb3" of a root hub, is one port.
std::vector<std::string> ports_on_the_way_to(const std::string& sysname);

}  // namespace whawty
