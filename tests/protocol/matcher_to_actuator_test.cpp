// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/matcher_to_actuator.h"

#include <limits>

#include "common/bounds.h"
#include "hostile.h"
#include "protocol/device.h"
#include "protocol/schema/matcher_to_actuator.capnp.h"

namespace whawty {
namespace {

using hostile::violation_of;

constexpr Uuid kDomain{0x0123456789abcdef, 0xfedcba9876543210};
constexpr Digest kDigest{1, 2, 3, 0xffffffffffffffff};
constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

Request round_trip(const Request& request) {
  return decode_request(encode(request));
}

// An attach or detach of these numbers, unchecked.
Datagram attach(const Hostdev& hostdev) {
  return encode(Request{1, AttachHostdev{kDomain, hostdev, kDigest}});
}
Datagram detach(const Hostdev& hostdev) {
  return encode(Request{1, DetachHostdev{kDomain, hostdev}});
}

TEST(RequestTest, ListComesBack) {
  const Request request = round_trip({kLargest, ListDomains{}});
  EXPECT_EQ(request.id, kLargest);
  EXPECT_TRUE(std::holds_alternative<ListDomains>(request.what));
}

TEST(RequestTest, DescribeComesBack) {
  const Request request = round_trip({7, DescribeDomain{kDomain}});
  EXPECT_EQ(request.id, 7U);
  EXPECT_EQ(std::get<DescribeDomain>(request.what).domain, kDomain);
}

TEST(RequestTest, AttachComesBack) {
  for (const Hostdev& hostdev :
       {Hostdev{3, 5, 0x046d, 0x0825}, Hostdev{1, 1, 1, 0}, Hostdev{999, 127, 0xffff, 0xffff}}) {
    const auto attached =
        std::get<AttachHostdev>(round_trip({1, AttachHostdev{kDomain, hostdev, kDigest}}).what);
    EXPECT_EQ(attached.domain, kDomain);
    EXPECT_EQ(attached.hostdev, hostdev);
    EXPECT_EQ(attached.digest, kDigest);
  }
}

TEST(RequestTest, DetachComesBackWithEitherPairOrBoth) {
  for (const Hostdev& hostdev : {Hostdev{3, 5, 0x046d, 0x0825}, Hostdev{3, 5, 0, 0}, Hostdev{0, 0, 1, 0}}) {
    const auto detached = std::get<DetachHostdev>(round_trip({1, DetachHostdev{kDomain, hostdev}}).what);
    EXPECT_EQ(detached.domain, kDomain);
    EXPECT_EQ(detached.hostdev, hostdev);
  }
}

TEST(RequestTest, NumbersOutOfBoundsAreViolations) {
  for (const auto& request : {attach, detach}) {
    EXPECT_EQ(violation_of(decode_request, request({1000, 5, 1, 1})), "a bus or device number out of bounds");
    EXPECT_EQ(violation_of(decode_request, request({0xffff, 5, 1, 1})),
              "a bus or device number out of bounds");
    EXPECT_EQ(violation_of(decode_request, request({3, 128, 1, 1})), "a bus or device number out of bounds");
    EXPECT_EQ(violation_of(decode_request, request({3, 0, 1, 1})),
              "a bus without a device number, or the other way round");
    EXPECT_EQ(violation_of(decode_request, request({0, 5, 1, 1})),
              "a bus without a device number, or the other way round");
    EXPECT_EQ(violation_of(decode_request, request({3, 5, 0, 1})), "a product without its vendor");
  }
}

TEST(RequestTest, AnAttachMustSayAllOfItsDevice) {
  for (const Hostdev& hostdev : {Hostdev{0, 0, 1, 1}, Hostdev{3, 5, 0, 0}, Hostdev{}})
    EXPECT_EQ(violation_of(decode_request, attach(hostdev)),
              "an attach request that does not say all of its device");
}

TEST(RequestTest, ADetachMustSaySomethingOfItsDevice) {
  EXPECT_EQ(violation_of(decode_request, detach({})), "a detach request that says nothing of its device");
}

// The union's discriminant is the first number after the id: data word 1.
TEST(RequestTest, AnUnknownKindIsAViolation) {
  for (const std::uint64_t kind : {5UL, 6UL, 0xffffUL})
    EXPECT_EQ(violation_of(decode_request, hostile::framed({hostile::struct_pointer(0, 2, 1), 1, kind, 0})),
              "a request of an unknown kind");
}

TEST(RequestTest, PointersThatLeadAstrayAreViolations) {
  using hostile::framed;
  constexpr std::uint64_t kRoot = hostile::struct_pointer(0, 2, 1);
  constexpr std::uint64_t kAttach = 2;
  const auto decode = decode_request;
  EXPECT_TRUE(
      hostile::is_violation(decode, framed({kRoot, 1, kAttach, hostile::struct_pointer(1000, 1, 1)})));
  EXPECT_TRUE(hostile::is_violation(decode, framed({kRoot, 1, kAttach, hostile::kFarPointer})));
  // A hostdev that is its own domain and its own parent: numbers are read once, so it is just nonsense.
  EXPECT_TRUE(hostile::is_violation(decode, framed({kRoot, 1, kAttach, hostile::struct_pointer(-4, 2, 1)})));
  // None at all: all numbers are 0.
  EXPECT_TRUE(hostile::is_violation(decode, framed({kRoot, 1, kAttach, 0})));
}

TEST(RequestTest, FramesAndRootsAreChecked) {
  hostile::expect_frame_checks(decode_request, attach({3, 5, 1, 1}));
  hostile::expect_root_checks(decode_request);
}

TEST(RequestTest, WhatAMutationMakesOfItIsWithinBounds) {
  const auto decode = [](const Datagram& datagram) {
    const Request request = decode_request(datagram);
    if (const auto* const attached = std::get_if<AttachHostdev>(&request.what)) {
      EXPECT_TRUE(attached->hostdev.bus >= 1 && attached->hostdev.bus <= kMaxBus);
      EXPECT_TRUE(attached->hostdev.device >= 1 && attached->hostdev.device <= kMaxDeviceNumber);
      EXPECT_NE(attached->hostdev.vendor, 0);
    }
  };
  hostile::expect_survives_mutation(decode, attach({3, 5, 0x046d, 0x0825}), 1);
  hostile::expect_survives_mutation(decode, detach({0, 0, 0x046d, 0x0825}), 2);
  hostile::expect_survives_mutation(decode, encode(Request{1, DescribeDomain{kDomain}}), 3);
}

}  // namespace
}  // namespace whawty
