// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// supervisor -> matcher: a configuration, file by file. Bounds and order: schema/supervisor_to_matcher.capnp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "protocol/channel.h"
#include "protocol/ping.h"

namespace whawty {

// The datagram carries the file's content as a descriptor.
struct ConfigFile {
  std::string name;     // as messages show it
  std::string machine;  // of a file of machines.d, else empty
  bool operator==(const ConfigFile&) const = default;
};
struct ConfigCommit {
  std::int64_t in_use_since = 0;  // seconds since 1970; 0 for a new configuration
  bool operator==(const ConfigCommit&) const = default;
};

using ControlMessage = std::variant<ConfigFile, ConfigCommit, Ping>;

Datagram encode(const ControlMessage& message);

// Throws Violation for anything that is not a message within its bounds.
ControlMessage decode_control_message(const Datagram& datagram);

}  // namespace whawty
