// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/matcher_to_actuator.h"

#include <limits>

#include "common/bounds.h"
#include "hostile.h"
#include "protocol/device.h"
#include "protocol/schema/matcher_to_actuator.capnp.h"
#include "tests/values.h"

namespace whawty {
namespace {

using hostile::violation_of;

constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

template <class What>
void expect_comes_back(const What& what) {
  EXPECT_EQ(std::get<What>(decode_request(encode(Request{1, what})).what), what);
}

// An attach or detach of these numbers, unchecked.
Datagram attach(const Hostdev& hostdev) {
  return encode(Request{1, AttachHostdev{kUuid, hostdev, kDigest}});
}
Datagram detach(const Hostdev& hostdev) {
  return encode(Request{1, DetachHostdev{kUuid, hostdev}});
}

TEST(RequestTest, AListComesBack) {
  const Request request = decode_request(encode(Request{kLargest, ListDomains{}}));
  EXPECT_EQ(request.id, kLargest);
  EXPECT_TRUE(std::holds_alternative<ListDomains>(request.what));
}

TEST(RequestTest, WhatIsAskedOfADomainComesBack) {
  expect_comes_back(DescribeDomain{kUuid});
  for (const Hostdev& hostdev : {kHostdev, Hostdev{1, 1, 1, 0}, Hostdev{999, 127, 0xffff, 0xffff}})
    expect_comes_back(AttachHostdev{kUuid, hostdev, kDigest});
  for (const Hostdev& hostdev : {kHostdev, Hostdev{3, 5, 0, 0}, Hostdev{0, 0, 1, 0}})
    expect_comes_back(DetachHostdev{kUuid, hostdev});
}

TEST(RequestTest, NumbersOutOfBoundsAreViolations) {
  for (const auto& request : {attach, detach}) {
    for (const Hostdev& hostdev : {Hostdev{1000, 5, 1, 1}, Hostdev{0xffff, 5, 1, 1}, Hostdev{3, 128, 1, 1}})
      EXPECT_EQ(violation_of(decode_request, request(hostdev)), "a bus or device number out of bounds");
    for (const Hostdev& hostdev : {Hostdev{3, 0, 1, 1}, Hostdev{0, 5, 1, 1}})
      EXPECT_EQ(violation_of(decode_request, request(hostdev)),
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

TEST(RequestTest, WhatIsHostileIsAViolationOrWithinBounds) {
  const auto decode = [](const Datagram& datagram) {
    const Request request = decode_request(datagram);
    if (const auto* const attached = std::get_if<AttachHostdev>(&request.what)) {
      EXPECT_TRUE(attached->hostdev.bus >= 1 && attached->hostdev.bus <= kMaxBus);
      EXPECT_TRUE(attached->hostdev.device >= 1 && attached->hostdev.device <= kMaxDeviceNumber);
      EXPECT_NE(attached->hostdev.vendor, 0);
    }
  };
  hostile::expect_checks(
      decode, {attach(kHostdev), detach(by_ids(webcam())), encode(Request{1, DescribeDomain{kUuid}})});
}

}  // namespace
}  // namespace whawty
