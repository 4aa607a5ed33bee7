// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/actuator_to_matcher.h"

#include <limits>

#include "common/bounds.h"
#include "hostile.h"
#include "protocol/schema/actuator_to_matcher.capnp.h"
#include "tests/values.h"

namespace whawty {
namespace {

using hostile::violation_of;
using Build = schema::ActuatorMessage::Builder;

template <class Message>
void expect_comes_back(const Message& message) {
  EXPECT_EQ(std::get<Message>(decode_actuator_message(encode(message))), message);
}
std::string violation(const std::function<void(Build)>& fill) {
  return violation_of(decode_actuator_message, hostile::message<schema::ActuatorMessage>(fill));
}

TEST(ActuatorMessageTest, EveryMessageComesBack) {
  for (const std::string& name : {std::string("a"), std::string("\0\n\xff", 3), std::string(1024, 'x')}) {
    for (const bool active : {false, true}) expect_comes_back(DomainListed{kUuid, name, active});
    expect_comes_back(DomainListed{kUuid, "a", true, 0xffffffff});
    for (const DomainNews& news : {DomainNews{}, DomainNews{.let_go = true}, DomainNews{.died = true}})
      expect_comes_back(DomainChanged{kUuid, name, news});
  }
  for (const std::size_t size : {std::size_t{1}, kMaxXmlChunk})
    expect_comes_back(XmlChunk{7, std::string(size, '\xff')});
  for (const Outcome outcome : {Outcome::kDone, Outcome::kFailed, Outcome::kNoDomain, Outcome::kStalled,
                                Outcome::kOtherDevice, Outcome::kSwapped, Outcome::kNotListed})
    expect_comes_back(Result{std::numeric_limits<std::uint64_t>::max(), outcome, -7,
                             std::string(kMaxResultMessage, '\0'), 1'234'567'890'123});
  expect_comes_back(DomainStalled{kUuid});
  EXPECT_TRUE(std::holds_alternative<Awake>(decode_actuator_message(encode(Awake{}))));
}

TEST(ActuatorMessageTest, LengthsOutOfBoundsAreViolations) {
  for (const unsigned size : {0U, 1025U}) {
    EXPECT_EQ(violation([=](Build message) { message.initDomain().initName(size); }),
              "a domain's name of a length out of bounds");
    EXPECT_EQ(violation([=](Build message) { message.initChanged().initName(size); }),
              "a domain's name of a length out of bounds");
  }
  for (const unsigned size : {0U, 48 * 1024U + 1})
    EXPECT_EQ(violation([=](Build message) { message.initXml().initData(size); }),
              "a part of a domain's XML of a length out of bounds");
  EXPECT_EQ(violation([](Build message) { message.initResult().initMessage(1025); }),
            "a result's message of a length out of bounds");
}

TEST(ActuatorMessageTest, AnUnknownKindOrOutcomeIsAViolation) {
  for (const std::uint64_t kind : {6UL, 7UL, 0xffffUL})
    EXPECT_EQ(violation_of(decode_actuator_message, hostile::of_kind(kind)),
              "an actuator message of an unknown kind");
  for (const unsigned outcome : {static_cast<unsigned>(kLastOutcome) + 1, 0xffffU})
    EXPECT_EQ(violation([=](Build message) {
                message.initResult().setOutcome(static_cast<schema::Outcome>(outcome));
              }),
              "a result of an unknown kind");
}

// A domain that points to itself, and one whose name claims more bytes than there are.
TEST(ActuatorMessageTest, PointersThatLeadAstrayAreViolations) {
  using hostile::list_pointer;
  using hostile::struct_pointer;
  constexpr std::uint64_t kRoot = struct_pointer(0, 1, 1);
  for (const std::vector<std::uint64_t>& words :
       {std::vector{kRoot, 0UL, struct_pointer(0, 1, 2), 1UL, struct_pointer(-2, 1, 2),
                    struct_pointer(-3, 1, 2)},
        {kRoot, 0, struct_pointer(0, 1, 2), 1, 0, list_pointer(0, 2, 8)},
        {kRoot, 0, struct_pointer(0, 1, 2), 1, 0, list_pointer(0, 2, 0x1fffffff), 0}})
    EXPECT_TRUE(hostile::is_violation(decode_actuator_message, hostile::framed(words)));
}

TEST(ActuatorMessageTest, WhatIsHostileIsAViolation) {
  hostile::expect_checks(decode_actuator_message,
                         {encode(DomainListed{kUuid, "domain", true}), encode(XmlChunk{1, "<domain/>"}),
                          encode(Result{1, Outcome::kFailed, 38, "no", 7})});
}

}  // namespace
}  // namespace whawty
