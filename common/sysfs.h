// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A directory of sysfs, held open: what is read through it belongs to the device that was there when it was
// opened, and to no later one of the same name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/fd.h"

namespace whawty {

// Where the kernel lists the devices, and the interfaces, of the bus.
inline constexpr const char* kUsbDevices = "/sys/bus/usb/devices";

class SysfsDirectory {
 public:
  // Nothing when there is no such directory. Throws std::system_error for an error that does not mean this.
  static std::optional<SysfsDirectory> open(const std::string& path);

  // The same below a directory that is open.
  static std::optional<SysfsDirectory> open(const Fd& directory, const std::string& path);

  // The first 4 KiB, which is all that sysfs gives, of an attribute, without the line break at its end.
  // Nothing when the attribute is not there or the device has left. Throws std::system_error otherwise.
  std::optional<std::string> attribute(const std::string& name) const;

  // The whole content, at most that many bytes, of a binary attribute. Otherwise as attribute.
  std::optional<std::string> content(const std::string& name, std::size_t at_most) const;

  // What the symbolic link of that name says. Nothing when there is none, or no link, or the device has left.
  std::optional<std::string> link(const std::string& name) const;

  // The names in it, sorted, without those that start with a dot. Empty when the device has left.
  std::vector<std::string> names() const;

 private:
  explicit SysfsDirectory(Fd directory) : directory_(std::move(directory)) {}

  Fd directory_;
};

}  // namespace whawty
