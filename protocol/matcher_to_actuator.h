// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// matcher -> actuator: numbers, never text. Bounds and meaning: schema/matcher_to_actuator.capnp.
#pragma once

#include <cstdint>
#include <variant>

#include "common/device_digest.h"
#include "common/domain.h"
#include "protocol/channel.h"
#include "protocol/ping.h"

namespace whawty {

struct ListDomains {};
struct DescribeDomain {
  Uuid domain;
  bool operator==(const DescribeDomain&) const = default;
};
struct AttachHostdev {
  Uuid domain;
  Hostdev hostdev;  // bus, device and vendor given
  Digest digest;    // of the device that is meant
  bool operator==(const AttachHostdev&) const = default;
};
struct DetachHostdev {
  Uuid domain;
  Hostdev hostdev;  // as the live XML has it, at least one pair given
  bool operator==(const DetachHostdev&) const = default;
};

struct Request {
  std::uint64_t id = 0;
  std::variant<ListDomains, DescribeDomain, AttachHostdev, DetachHostdev, Ping> what;
};

Datagram encode(const Request& request);

// Throws Violation for anything that is not a request within its bounds.
Request decode_request(const Datagram& datagram);

}  // namespace whawty
