// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// matcher -> supervisor: numbers only. Schema: schema/matcher_to_supervisor.capnp.
#pragma once

#include <cstdint>
#include <variant>

#include "protocol/channel.h"
#include "protocol/ping.h"

namespace whawty {

struct ConfigAccepted {};
struct ConfigRejected {};
struct Status {
  bool libvirt_connected = false;
  std::uint32_t machines = 0;  // in the configuration
  std::uint32_t running = 0;   // of these, active in libvirt
  std::uint32_t devices = 0;   // on the host, hubs left out
  std::uint32_t attached = 0;  // USB hostdevs of the running machines
  bool operator==(const Status&) const = default;
};

using PolicyMessage = std::variant<ConfigAccepted, ConfigRejected, Status, Pong, Awake>;

Datagram encode(const PolicyMessage& message);

// Throws Violation for anything that is not a message.
PolicyMessage decode_policy_message(const Datagram& datagram);

}  // namespace whawty
