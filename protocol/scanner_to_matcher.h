// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// scanner -> matcher: the devices of the host. Bounds and order: schema/scanner_to_matcher.capnp.
#pragma once

#include <string>
#include <variant>

#include "protocol/channel.h"
#include "protocol/device.h"
#include "protocol/ping.h"

namespace whawty {

struct SnapshotBegin {};
struct SnapshotEnd {};
struct DeviceRemoved {
  std::string sysname;
  bool operator==(const DeviceRemoved&) const = default;
};

struct Unchanged {};

using ScannerMessage =
    std::variant<SnapshotBegin, Device, DeviceRemoved, SnapshotEnd, Pong, Unchanged, Awake>;

// Whether a datagram holds the record of the device.
bool fits_datagram(const Device& device);

// Throws std::length_error for a device whose record no datagram holds.
Datagram encode(const ScannerMessage& message);

// Throws Violation for anything that is not a message within its bounds.
ScannerMessage decode_scanner_message(const Datagram& datagram);

}  // namespace whawty
