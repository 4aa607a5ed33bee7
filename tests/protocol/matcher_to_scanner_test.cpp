// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/matcher_to_scanner.h"

#include "hostile.h"
#include "protocol/schema/matcher_to_scanner.capnp.h"

namespace whawty {
namespace {

Datagram kind(unsigned number) {
  return hostile::message<schema::ScanRequest>([number](schema::ScanRequest::Builder request) {
    request.setKind(static_cast<schema::ScanRequest::Kind>(number));
  });
}

TEST(ScanRequestTest, EachKindComesBack) {
  for (const ScanRequest request : {ScanRequest::kRescan, ScanRequest::kPing, ScanRequest::kCheck})
    EXPECT_EQ(decode_scan_request(encode(request)), request);
}

TEST(ScanRequestTest, AnyOtherKindIsAViolation) {
  for (const unsigned number : {0U, 4U, 5U, 0xffffU})
    EXPECT_EQ(hostile::violation_of(decode_scan_request, kind(number)), "a scan request of an unknown kind");
  EXPECT_NO_THROW(decode_scan_request(kind(1)));
}

TEST(ScanRequestTest, WhatIsHostileIsAViolation) {
  hostile::expect_checks(decode_scan_request, {encode(ScanRequest::kRescan)});
}

}  // namespace
}  // namespace whawty
