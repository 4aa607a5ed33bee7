// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The devices of this host, as the scanner reads them.
#pragma once

#include <string>
#include <vector>

#include "matcher/known/facts.h"

namespace whawty {

struct ReadDevices {
  DeviceMap devices;
  std::vector<std::string> complaints;  // of devices that are left out or not known whole; printable
};

// Looks once. A device that does not answer at once is there without a digest. Throws std::system_error.
ReadDevices read_devices();

}  // namespace whawty
