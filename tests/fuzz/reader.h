// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Hostile bytes as values: numbers and texts are taken off the front; when nothing is left they are 0 and "".
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/domain.h"
#include "protocol/device.h"

namespace whawty::fuzz {

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }

  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }

  // 0 to below the limit, which is at most 256.
  unsigned below(unsigned limit) { return byte() % limit; }

  std::uint16_t number() { return static_cast<std::uint16_t>(byte() | byte() << 8); }

  // A text with its length in a byte before it; or longer, that text many times over.
  std::string text() {
    const std::size_t length = std::min<std::size_t>(byte(), rest_.size());
    std::string text(rest_.substr(0, length));
    rest_.remove_prefix(std::min(length, rest_.size()));
    return text;
  }
  std::string long_text() {
    const std::string part = text();
    std::string text;
    for (int times = 1 << below(8); times > 0; --times) text += part;
    return text;
  }

  std::vector<std::string> texts(unsigned at_most) {
    std::vector<std::string> texts(below(at_most + 1));
    for (std::string& one : texts) one = text();
    return texts;
  }

 private:
  std::string_view rest_;
};

inline constexpr std::uint8_t kWithoutDigest = 127;

// A device within the bounds of the protocol. Few ports, addresses and ids, so that devices meet.
inline Device read_device(Reader& bytes) {
  Device device;
  device.sysname = std::string(1, static_cast<char>('a' + bytes.below(16)));
  device.bus = static_cast<std::uint16_t>(1 + bytes.below(3));
  device.number = static_cast<std::uint16_t>(1 + bytes.below(5));
  device.vendor = static_cast<std::uint16_t>(bytes.below(4));
  device.product = static_cast<std::uint16_t>(bytes.below(3));
  device.device_class = static_cast<std::uint8_t>(bytes.below(2) * kHubClass);
  device.interface_classes.resize(bytes.below(3));
  for (std::uint8_t& one : device.interface_classes) one = bytes.byte();
  constexpr const char* kNames[] = {"A", "ID_SERIAL_SHORT", "M"};
  for (const char* const name : kNames)
    if (bytes.below(2) != 0) device.properties.push_back({name, bytes.long_text()});
  device.tags = bytes.texts(3);
  device.current_tags = bytes.texts(3);
  const std::uint8_t last = bytes.byte();
  if (last != kWithoutDigest) device.digest = Digest{last, 0, 0, 0};
  constexpr std::uint8_t kKinds = static_cast<std::uint8_t>(kLastHostUseKind) + 1;
  if (last >= 128) device.host_uses = {{static_cast<HostUseKind>(last % kKinds), "\x1b"}};
  device.authorized = last % 16 != 3;
  device.driver = last % 4 == 2 ? DriverKind::kHost : DriverKind::kNone;
  if (device.driver == DriverKind::kHost) device.host_driver = "\x1b";
  return device;
}

inline Hostdev read_hostdev(Reader& bytes) {
  Hostdev hostdev;
  const unsigned pairs = 1 + bytes.below(3);
  if ((pairs & 1) != 0) {
    hostdev.bus = static_cast<std::uint16_t>(1 + bytes.below(3));
    hostdev.device = static_cast<std::uint16_t>(1 + bytes.below(5));
  }
  if ((pairs & 2) != 0) {
    hostdev.vendor = static_cast<std::uint16_t>(1 + bytes.below(3));
    hostdev.product = static_cast<std::uint16_t>(bytes.below(3));
  }
  return hostdev;
}

}  // namespace whawty::fuzz
