// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What sysfs says of a USB device by numbers alone, and without waiting for it: these attributes take no lock
// of the device.
#pragma once

#include <optional>

#include "common/domain.h"
#include "common/fd.h"
#include "common/sysfs.h"

namespace whawty {

// The directory in which the kernel lists devices by number, /sys/dev/char. Throws std::system_error.
Fd open_devices();

// All of these throw std::system_error when sysfs cannot be read.

// The device with that bus and number; nothing if there is none.
std::optional<SysfsDirectory> usb_device(const Fd& devices, const Hostdev& hostdev);

// Whether it has all these numbers.
bool has_numbers(const SysfsDirectory& device, const Hostdev& hostdev);

// Whether no guest may have it: it is a hub, with which all devices behind it would go, or the host has not
// authorized it. What sysfs does not say bars, too.
bool is_barred(const SysfsDirectory& device);

}  // namespace whawty
