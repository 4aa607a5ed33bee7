// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What holds of every codec: bytes decode to a message or are a Violation, and a message that was decoded
// encodes to one that says the same.
#pragma once

#include <cstdint>
#include <cstring>

#include "common/bounds.h"
#include "protocol/violation.h"
#include "tests/fuzz/same.h"
#include "tests/fuzz/targets.h"

namespace whawty::fuzz {

inline Datagram datagram_of(std::string_view bytes) {
  const bool content_only = !bytes.empty() && bytes.front() % 2 != 0;
  if (!bytes.empty()) bytes.remove_prefix(1);
  const std::size_t words = (bytes.size() + 7) / 8;
  const std::uint64_t header = static_cast<std::uint64_t>(words) << 32;
  Datagram datagram(content_only ? 8 * (words + 1) : bytes.size());
  if (content_only) std::memcpy(datagram.data(), &header, sizeof header);
  if (!bytes.empty()) std::memcpy(datagram.data() + (content_only ? 8 : 0), bytes.data(), bytes.size());
  return datagram;
}

template <class Decode>
bool round_trip(std::string_view bytes, Decode decode) {
  const Datagram datagram = datagram_of(bytes);
  // No channel delivers more.
  if (datagram.size() > kMaxDatagram) return false;
  try {
    const auto message = decode(datagram);
    require(same(decode(encode(message)), message), "a message is another one when it has been passed on");
  } catch (const Violation&) {
    return false;
  }
  return true;
}

}  // namespace whawty::fuzz
