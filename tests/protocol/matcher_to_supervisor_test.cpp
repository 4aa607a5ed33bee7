// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/matcher_to_supervisor.h"

#include "hostile.h"
#include "protocol/schema/matcher_to_supervisor.capnp.h"

namespace whawty {
namespace {

constexpr Status kStatus{true, 1, 2, 3, 0xffffffff};

PolicyMessage round_trip(const PolicyMessage& message) {
  return decode_policy_message(encode(message));
}

TEST(PolicyMessageTest, EveryMessageComesBack) {
  EXPECT_TRUE(std::holds_alternative<ConfigAccepted>(round_trip(ConfigAccepted{})));
  EXPECT_TRUE(std::holds_alternative<ConfigRejected>(round_trip(ConfigRejected{})));
  EXPECT_TRUE(std::holds_alternative<Pong>(round_trip(Pong{})));
  EXPECT_TRUE(std::holds_alternative<Awake>(round_trip(Awake{})));
  EXPECT_EQ(std::get<Status>(round_trip(kStatus)), kStatus);
  EXPECT_EQ(std::get<Status>(round_trip(Status{})), Status{});
}

TEST(PolicyMessageTest, AnUnknownKindIsAViolation) {
  for (const std::uint64_t kind : {5UL, 6UL, 0xffffUL})
    EXPECT_EQ(hostile::violation_of(decode_policy_message, hostile::of_kind(kind)),
              "a policy message of an unknown kind");
}

TEST(PolicyMessageTest, WhatIsHostileIsAViolation) {
  hostile::expect_checks(decode_policy_message, {encode(kStatus)});
}

}  // namespace
}  // namespace whawty
