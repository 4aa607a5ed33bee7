// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Reads one USB device from sysfs and the udev data.
#pragma once

#include <libudev.h>

#include <optional>
#include <string>
#include <vector>

#include "protocol/device.h"

namespace whawty {

struct Reading {
  std::optional<Device> device;  // nothing: it is not there, not yet ready, or cannot be told to the matcher
  std::string complaint;  // why it is not told, or not told whole; printable; empty when there is no reason
  bool unread = false;    // it is there, and udev's record of it cannot be read: it stays what it was
};

// Reads the device of that sysfs name as it is now. Properties are those that udevadm shows, but for TAGS and
// CURRENT_TAGS; properties and tags are left out, and properties_omitted is set, when no message could hold
// them.
//
// A device that udev has not processed yet has no tags and few properties: a rule that asks for them would
// miss it, and a rule further down might win it. It counts as not there yet, because udev's own event
// follows; unless no udevd runs, or the device has been waiting for it for longer than kPatienceWithUdev.
// Then what sysfs says has to do.
//
// The host's uses become part of the record. Throws std::system_error when the system, not the device, is at
// fault.
Reading read_device(udev* udev, const std::string& sysname, const std::vector<HostUse>& uses = {});

// Only what the kernel always tells: sysfs name, numbers, classes, whether it is authorized, and its drivers.
// Nothing when there is no such device, or one that read_device would not tell.
std::optional<Device> read_facts(const std::string& sysname);

inline constexpr unsigned kPatienceWithUdev = 30'000;  // milliseconds since the device was connected

}  // namespace whawty
