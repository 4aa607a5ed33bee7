// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The <hostdev> element for libvirt, made of numbers alone.
// Format: https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
#pragma once

#include <cstdint>
#include <string>

#include "protocol/domain.h"

namespace whawty {

// Names the hostdev of that domain whose numbers these are. Those that are not given (0) are left out.
std::string hostdev_xml(const Hostdev& hostdev);

// The same for a hostdev that is to be, which is marked as this daemon's: by an alias that the occasion, a
// number that no other attach has, makes unique. libvirt refuses an alias that the domain has already, and
// the stale hostdev of a device that had the same numbers may still be there.
std::string marked_hostdev_xml(const Hostdev& hostdev, std::uint64_t occasion);

}  // namespace whawty
