// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// matcher -> scanner: read everything again. Schema: schema/matcher_to_scanner.capnp.
#pragma once

#include "protocol/channel.h"

namespace whawty {

struct Rescan {};

Datagram encode(const Rescan& message);

// Throws Violation for anything but a rescan request.
Rescan decode_scan_request(const Datagram& datagram);

}  // namespace whawty
