// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/matcher_to_scanner.h"

#include "protocol/frame.h"
#include "protocol/schema/matcher_to_scanner.capnp.h"

namespace whawty {

Datagram encode(ScanRequest request) {
  using Kind = schema::ScanRequest::Kind;
  constexpr Kind kKinds[] = {Kind::RESCAN, Kind::PING, Kind::CHECK};
  frame::Builder builder;
  builder.initRoot<schema::ScanRequest>().setKind(kKinds[static_cast<std::size_t>(request)]);
  return frame::finish(builder);
}

ScanRequest decode_scan_request(const Datagram& datagram) {
  using Kind = schema::ScanRequest::Kind;
  return frame::decode<schema::ScanRequest>(datagram, [](schema::ScanRequest::Reader request) {
    if (request.getKind() == Kind::RESCAN) return ScanRequest::kRescan;
    if (request.getKind() == Kind::PING) return ScanRequest::kPing;
    if (request.getKind() == Kind::CHECK) return ScanRequest::kCheck;
    throw Violation("a scan request of an unknown kind");
  });
}

}  // namespace whawty
