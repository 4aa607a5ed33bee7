// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The numbers of a device as lines and records show them.
#pragma once

#include <string>

#include "common/domain.h"
#include "common/text.h"

namespace whawty {

// "003/005", as lsusb and the files of /dev/bus/usb have it.
inline std::string address_of(const Hostdev& hostdev) {
  return decimal(hostdev.bus, 3) + '/' + decimal(hostdev.device, 3);
}

// "046d:0825".
inline std::string ids_of(const Hostdev& hostdev) {
  return hex(hostdev.vendor, 4) + ':' + hex(hostdev.product, 4);
}

}  // namespace whawty
