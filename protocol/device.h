// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A USB device of the host, as the scanner saw it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/device_digest.h"

namespace whawty {

inline constexpr std::uint8_t kHubClass = 0x09;  // https://www.usb.org/defined-class-codes

// A udev property. Both are bytes that a device may have chosen.
struct Property {
  std::string name;
  std::string value;
  bool operator==(const Property&) const = default;
};

// What the host itself does with a device, or with a part of it.
enum class HostUseKind : std::uint8_t {
  kMounted,       // a file system on this block device is mounted
  kSwap,          // it is swapped to
  kHeld,          // another block device is made of it: device-mapper, md, bcache
  kSettling,      // it was in use until just now, and may still be written to
  kUnknown,       // whether it is in use could not be read
  kDefaultRoute,  // this network interface carries a default route
  kKeyboard,      // this keyboard is at the local console, as are only keyboards of USB
};
inline constexpr HostUseKind kLastHostUseKind = HostUseKind::kKeyboard;

struct HostUse {
  HostUseKind kind = HostUseKind::kUnknown;
  std::string name;  // of the kernel: "sdb1", "eth1", "input5"; 1 to kMaxHostUseName bytes
  auto operator<=>(const HostUse&) const = default;
};

// Who has the interfaces of a device. While a guest has it, QEMU keeps drivers of the host away from all of
// them.
enum class DriverKind : std::uint8_t {
  kNone,   // nobody
  kUsbfs,  // a program: QEMU, for a guest that uses it
  kHost,   // a driver of the host has at least one of them
};
inline constexpr DriverKind kLastDriverKind = DriverKind::kHost;

struct Device {
  std::string sysname;       // the port path, "3-6.3"; "usb3" for a root hub
  std::uint16_t bus = 0;     // 1 to kMaxBus
  std::uint16_t number = 0;  // 1 to kMaxDeviceNumber, unique on its bus at a time
  std::uint16_t vendor = 0;
  std::uint16_t product = 0;
  std::uint8_t device_class = 0;
  std::vector<std::uint8_t> interface_classes;
  std::vector<Property> properties;  // sorted by name, no name twice
  std::vector<std::string> tags;
  std::vector<std::string> current_tags;
  bool properties_omitted = false;   // the device had more of them than a record holds
  std::optional<Digest> digest{};    // of what it is beyond its numbers; without one, only these are known
  std::vector<HostUse> host_uses{};  // sorted, none twice, at most kMaxHostUses
  bool authorized = true;            // by the host; one that is not has no interfaces
  DriverKind driver = DriverKind::kNone;
  std::string host_driver{};  // the kernel's name of one, "usbhid", 1 to kMaxDriverName bytes; only of kHost

  bool operator==(const Device&) const = default;
};

// About how many bytes of memory the device takes.
std::size_t footprint(const Device& device);

// For a record that has no room for its properties and tags.
void omit_properties(Device& device);

// What of the values is outside the bounds of the schema; empty if nothing is. What is read from a datagram
// is held to this, and so is, before it is sent, what the system says of a device.
std::string_view objection_to(const Device& device);
std::string_view objection_to_sysname(std::string_view sysname);

}  // namespace whawty
