// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A request of the matcher as calls of the hypervisor, within limits that the matcher has no say in.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "actuator/device_check.h"
#include "actuator/hypervisor.h"
#include "common/allowed_domains.h"
#include "protocol/matcher_to_actuator.h"

namespace whawty {

struct Limits {
  AllowedDomains domains;
  DeviceCheck check;
};

// What a request wants done.
using Call = std::variant<ListDomains, DescribeDomain, AttachHostdev, DetachHostdev>;

// Makes the calls for the request of that number, however long they take. The answer is what they yield, and
// last the result: how they went.
std::vector<ActuatorMessage> carry_out(std::uint64_t request, const Call& call, Hypervisor& hypervisor,
                                       const Limits& limits);

}  // namespace whawty
