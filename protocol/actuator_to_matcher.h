// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// actuator -> matcher: answers, notices, and the live XML unread. Bounds and meaning:
// schema/actuator_to_matcher.capnp.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "common/domain.h"
#include "protocol/channel.h"
#include "protocol/ping.h"

namespace whawty {

struct DomainListed {
  Uuid uuid;
  std::string name;
  bool active = false;
  std::uint32_t run = 0;  // libvirt's id of it, another one after each start
  bool operator==(const DomainListed&) const = default;
};
// What libvirt said of a domain, beyond that it changed.
struct DomainNews {
  bool let_go = false;  // it was restored or migrated here: QEMU has let go of its USB devices
  bool died = false;    // its QEMU ended unasked
  bool operator==(const DomainNews&) const = default;
};
struct DomainChanged {
  Uuid uuid;
  std::string name;
  DomainNews news{};
  bool operator==(const DomainChanged&) const = default;
};
struct XmlChunk {
  std::uint64_t request = 0;
  std::string data;
  bool operator==(const XmlChunk&) const = default;
};
enum class Outcome : std::uint8_t { kDone, kFailed, kNoDomain, kStalled, kOtherDevice, kSwapped, kNotListed };
inline constexpr Outcome kLastOutcome = Outcome::kNotListed;
struct Result {
  std::uint64_t request = 0;
  Outcome outcome = Outcome::kDone;
  std::int32_t libvirt_code = 0;  // virErrorNumber, 0 when the failure is not libvirt's
  std::string message;            // bytes, to be escaped
  std::uint64_t microseconds = 0;
  bool operator==(const Result&) const = default;
};
struct DomainStalled {
  Uuid uuid;
  bool operator==(const DomainStalled&) const = default;
};

using ActuatorMessage = std::variant<DomainListed, DomainChanged, XmlChunk, Result, DomainStalled, Awake>;

Datagram encode(const ActuatorMessage& message);

// Throws Violation for anything that is not a message within its bounds.
ActuatorMessage decode_actuator_message(const Datagram& datagram);

}  // namespace whawty
