// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// matcher -> scanner: what it is asked to do. Schema: schema/matcher_to_scanner.capnp.
#pragma once

#include "protocol/channel.h"

namespace whawty {

enum class ScanRequest { kRescan, kPing, kCheck };

Datagram encode(ScanRequest request);

// Throws Violation for anything that is not such a request.
ScanRequest decode_scan_request(const Datagram& datagram);

}  // namespace whawty
