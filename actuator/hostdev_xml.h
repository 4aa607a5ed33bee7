// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The <hostdev> element for libvirt, made of numbers alone.
// Format: https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
#pragma once

#include <string>

#include "protocol/domain.h"

namespace whawty {

// Names the hostdev of that domain whose numbers these are. Those that are not given (0) are left out.
std::string hostdev_xml(const Hostdev& hostdev);

// The same for a hostdev that is to be, with its alias.
std::string marked_hostdev_xml(const Hostdev& hostdev, const std::string& alias);

}  // namespace whawty
