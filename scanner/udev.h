// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Owned objects of libudev.
#pragma once

#include <libudev.h>

#include <memory>

namespace whawty {

struct Unref {
  void operator()(udev* context) const { udev_unref(context); }
  void operator()(udev_device* device) const { udev_device_unref(device); }
  void operator()(udev_monitor* monitor) const { udev_monitor_unref(monitor); }
};

using Udev = std::unique_ptr<udev, Unref>;
using UdevDevice = std::unique_ptr<udev_device, Unref>;
using UdevMonitor = std::unique_ptr<udev_monitor, Unref>;

}  // namespace whawty
