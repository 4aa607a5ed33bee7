// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/actuator_to_matcher.h"

#include <limits>

#include "common/bounds.h"
#include "hostile.h"
#include "protocol/schema/actuator_to_matcher.capnp.h"

namespace whawty {
namespace {

using hostile::violation_of;
using Build = schema::ActuatorMessage::Builder;

constexpr Uuid kDomain{0x0123456789abcdef, 0xfedcba9876543210};

template <class Message>
Message round_trip(const Message& message) {
  return std::get<Message>(decode_actuator_message(encode(message)));
}

Datagram built(const std::function<void(Build)>& fill) {
  return hostile::message<schema::ActuatorMessage>(fill);
}

TEST(ActuatorMessageTest, ADomainComesBack) {
  for (const std::string& name : {std::string("a"), std::string("\0\n\xff", 3), std::string(1024, 'x')}) {
    const auto listed = round_trip(DomainListed{kDomain, name, true});
    EXPECT_EQ(listed.uuid, kDomain);
    EXPECT_EQ(listed.name, name);
    EXPECT_TRUE(listed.active);
    EXPECT_FALSE(round_trip(DomainListed{kDomain, name, false}).active);
    const auto changed = round_trip(DomainChanged{kDomain, name});
    EXPECT_EQ(changed.uuid, kDomain);
    EXPECT_EQ(changed.name, name);
    EXPECT_EQ(changed.news, DomainNews{});
    EXPECT_EQ(round_trip(DomainChanged{kDomain, name, {.let_go = true}}).news, (DomainNews{true, false}));
    EXPECT_EQ(round_trip(DomainChanged{kDomain, name, {.died = true}}).news, (DomainNews{false, true}));
  }
}

TEST(ActuatorMessageTest, AnXmlChunkComesBack) {
  for (const std::size_t size : {std::size_t{1}, kMaxXmlChunk}) {
    const XmlChunk chunk = round_trip(XmlChunk{7, std::string(size, '\xff')});
    EXPECT_EQ(chunk.request, 7U);
    EXPECT_EQ(chunk.data, std::string(size, '\xff'));
  }
}

TEST(ActuatorMessageTest, AResultComesBack) {
  for (const Outcome outcome : {Outcome::kDone, Outcome::kFailed, Outcome::kNoDomain, Outcome::kStalled,
                                Outcome::kOtherDevice, Outcome::kSwapped, Outcome::kNotListed}) {
    const Result result = round_trip(Result{std::numeric_limits<std::uint64_t>::max(), outcome, -7,
                                            std::string(kMaxResultMessage, '\0'), 1'234'567'890'123});
    EXPECT_EQ(result.request, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(result.outcome, outcome);
    EXPECT_EQ(result.libvirt_code, -7);
    EXPECT_EQ(result.message, std::string(kMaxResultMessage, '\0'));
    EXPECT_EQ(result.microseconds, 1'234'567'890'123U);
  }
}

TEST(ActuatorMessageTest, AStalledDomainComesBack) {
  EXPECT_EQ(round_trip(DomainStalled{kDomain}).uuid, kDomain);
}

TEST(ActuatorMessageTest, LengthsOutOfBoundsAreViolations) {
  const auto decode = decode_actuator_message;
  for (const unsigned size : {0U, 1025U}) {
    EXPECT_EQ(violation_of(decode, built([=](Build message) { message.initDomain().initName(size); })),
              "a domain's name of a length out of bounds");
    EXPECT_EQ(violation_of(decode, built([=](Build message) { message.initChanged().initName(size); })),
              "a domain's name of a length out of bounds");
  }
  for (const unsigned size : {0U, 48 * 1024U + 1})
    EXPECT_EQ(violation_of(decode, built([=](Build message) { message.initXml().initData(size); })),
              "a part of a domain's XML of a length out of bounds");
  EXPECT_EQ(violation_of(decode, built([](Build message) { message.initResult().initMessage(1025); })),
            "a result's message of a length out of bounds");
}

TEST(ActuatorMessageTest, AnUnknownKindIsAViolation) {
  for (const std::uint64_t kind : {5UL, 6UL, 0xffffUL})
    EXPECT_EQ(
        violation_of(decode_actuator_message, hostile::framed({hostile::struct_pointer(0, 1, 1), kind, 0})),
        "an actuator message of an unknown kind");
}

TEST(ActuatorMessageTest, AnUnknownOutcomeIsAViolation) {
  for (const unsigned outcome : {static_cast<unsigned>(kLastOutcome) + 1, 0xffffU})
    EXPECT_EQ(violation_of(decode_actuator_message, built([=](Build message) {
                             message.initResult().setOutcome(static_cast<schema::Outcome>(outcome));
                           })),
              "a result of an unknown kind");
}

// A domain that points to itself, and one whose name claims more bytes than there are.
TEST(ActuatorMessageTest, PointersThatLeadAstrayAreViolations) {
  using hostile::framed;
  constexpr std::uint64_t kRoot = hostile::struct_pointer(0, 1, 1);
  EXPECT_TRUE(
      hostile::is_violation(decode_actuator_message,
                            framed({kRoot, 0, hostile::struct_pointer(0, 1, 2), 1,
                                    hostile::struct_pointer(-2, 1, 2), hostile::struct_pointer(-3, 1, 2)})));
  EXPECT_TRUE(hostile::is_violation(
      decode_actuator_message,
      framed({kRoot, 0, hostile::struct_pointer(0, 1, 2), 1, 0, hostile::list_pointer(0, 2, 8)})));
  EXPECT_TRUE(
      hostile::is_violation(decode_actuator_message, framed({kRoot, 0, hostile::struct_pointer(0, 1, 2), 1, 0,
                                                             hostile::list_pointer(0, 2, 0x1fffffff), 0})));
}

TEST(ActuatorMessageTest, FramesAndRootsAreChecked) {
  hostile::expect_frame_checks(decode_actuator_message, encode(DomainListed{kDomain, "a", true}));
  hostile::expect_root_checks(decode_actuator_message);
}

TEST(ActuatorMessageTest, SurvivesMutation) {
  hostile::expect_survives_mutation(decode_actuator_message, encode(DomainListed{kDomain, "domain", true}),
                                    1);
  hostile::expect_survives_mutation(decode_actuator_message, encode(XmlChunk{1, "<domain/>"}), 2);
  hostile::expect_survives_mutation(decode_actuator_message, encode(Result{1, Outcome::kFailed, 38, "no", 7}),
                                    3);
}

}  // namespace
}  // namespace whawty
