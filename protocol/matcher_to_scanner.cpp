// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/matcher_to_scanner.h"

#include "protocol/frame.h"
#include "protocol/schema/matcher_to_scanner.capnp.h"

namespace whawty {

Datagram encode(const Rescan&) {
  frame::Builder builder;
  builder.initRoot<schema::ScanRequest>().setKind(schema::ScanRequest::Kind::RESCAN);
  return frame::finish(builder);
}

Rescan decode_scan_request(const Datagram& datagram) {
  return frame::decode<schema::ScanRequest>(datagram, [](schema::ScanRequest::Reader request) {
    if (request.getKind() != schema::ScanRequest::Kind::RESCAN)
      throw Violation("a scan request of an unknown kind");
    return Rescan{};
  });
}

}  // namespace whawty
