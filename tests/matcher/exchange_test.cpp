// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Pings, and answers that were not asked for.
#include "common/bounds.h"
#include "common/text.h"
#include "protocol/violation.h"
#include "tests/matcher/world.h"

namespace whawty {
namespace {

class ExchangeTest : public WorldTest {};

TEST_F(ExchangeTest, APingIsAnsweredWhenBothWorkersHaveAnswered) {
  configure(kWebcamToA);
  ping();
  EXPECT_EQ(pings, 1);
  EXPECT_EQ(pongs, 0);
  pong_of_scanner();
  EXPECT_EQ(pongs, 0) << "the actuator has not answered";
  settle();
  EXPECT_EQ(pongs, 1);
  ping();
  settle();
  EXPECT_EQ(pongs, 1) << "the scanner has not answered";
  pong_of_scanner();
  EXPECT_EQ(pongs, 2);
}

TEST_F(ExchangeTest, APingHasAPlaceHoweverManyRequestsAreUnanswered) {
  std::string machines = "m1: device: 1";
  for (int i = 2; i <= 80; ++i) machines += concat("; m", i, ": device: ", i);
  begin({}, machines);
  for (std::uint16_t i = 1; i <= 80; ++i) plug_unanswered(webcam(i, concat("1-", i)));
  EXPECT_EQ(requests.size(), kMaxRequestsInFlight - 1);
  ping();
  EXPECT_EQ(requests.size(), kMaxRequestsInFlight);
  EXPECT_TRUE(std::holds_alternative<Ping>(requests.back().what));
}

TEST_F(ExchangeTest, AnActuatorThatWaitsForLibvirtIsNotAsked) {
  ping();
  pong_of_scanner();
  EXPECT_EQ(pongs, 1);
}

TEST_F(ExchangeTest, PingsAndPongsOutOfTurnAreViolations) {
  EXPECT_THROW(pong_of_scanner(), Violation);
  ping();
  EXPECT_THROW(ping(), Violation);
}

TEST_F(ExchangeTest, AnswersThatWereNotAskedForAreViolations) {
  configure(kWebcamToA);
  EXPECT_THROW(take(Result{99, Outcome::kDone, 0, "", 0}), Violation);
  EXPECT_THROW(take(XmlChunk{99, "<domain/>"}), Violation);
  EXPECT_THROW(take(DomainListed{{1, 1}, "a", true}), Violation);
}

}  // namespace
}  // namespace whawty
