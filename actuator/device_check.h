// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether a device of the host is still the one that the matcher decided on, and one that a guest may have:
// sysfs is asked by numbers alone.
#pragma once

#include "common/device_digest.h"
#include "common/domain.h"
#include "common/fd.h"

namespace whawty {

class DeviceCheck {
 public:
  // The directory in which the kernel lists devices by number, /sys/dev/char.
  explicit DeviceCheck(Fd devices) : devices_(std::move(devices)) {}

  enum class Finding { kMeant, kGone, kOther, kBarred };

  // Whether the device with that bus and number has that vendor, product and digest. One that has is barred
  // if it is a hub, with which all devices behind it would go, or if the host has not authorized it. Throws
  // std::system_error when sysfs cannot be read.
  Finding look(const Hostdev& hostdev, const Digest& digest) const;

 private:
  Fd devices_;
};

}  // namespace whawty
