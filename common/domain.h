// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The numbers by which a libvirt domain and a USB hostdev of it are named.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "common/text.h"

namespace whawty {

// A domain's UUID: its first eight bytes as a big-endian number in high, the others in low.
struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Uuid&) const = default;
};

// As virsh prints it: 8-4-4-4-12 hexadecimal digits.
inline std::string to_string(const Uuid& uuid) {
  std::string text = hex(uuid.high, 16) + hex(uuid.low, 16);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
  return text;
}

// A <hostdev type='usb'>. Either pair may be missing in a live XML: bus and device are 0 then, vendor and
// product are.
struct Hostdev {
  std::uint16_t bus = 0;     // 1 to kMaxBus
  std::uint16_t device = 0;  // 1 to kMaxDeviceNumber
  std::uint16_t vendor = 0;  // 1 to 0xffff
  std::uint16_t product = 0;
  auto operator<=>(const Hostdev&) const = default;
};

}  // namespace whawty
