// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/heartbeat.h"

#include <gtest/gtest.h>

#include <utility>

#include "protocol/violation.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;
using Due = Heartbeat::Due;

// Both answer.
bool answered(Heartbeat& heartbeat, Heartbeat::Clock::time_point now) {
  EXPECT_FALSE(heartbeat.answered(Heartbeat::kGate, now));
  return heartbeat.answered(Heartbeat::kMatcher, now);
}

constexpr Heartbeat::Clock::time_point kStart{1000s};

TEST(Heartbeat, WorkersAreAskedFiveSecondsAfterTheirStartAndTwentyAfterEachAnswer) {
  Heartbeat heartbeat(kStart);
  EXPECT_EQ(heartbeat.due(kStart + 5s - 1ms), Due::kNothing);
  EXPECT_EQ(heartbeat.next(), kStart + 5s);
  EXPECT_EQ(heartbeat.due(kStart + 5s), Due::kPing);
  EXPECT_TRUE(answered(heartbeat, kStart + 7s));
  EXPECT_EQ(heartbeat.due(kStart + 27s - 1ms), Due::kNothing);
  EXPECT_EQ(heartbeat.due(kStart + 27s), Due::kPing);
}

// Workers that were asked at an interval of five seconds, and had ten for their answer.
constexpr auto kBefore = 15s;

TEST(Heartbeat, OneThatHangsIsFoundAsSoonAsIfAllWereAskedAtEachInterval) {
  for (auto when = 0s; when <= 25s; when += 1s) {
    Heartbeat heartbeat(kStart);
    ASSERT_EQ(heartbeat.due(kStart + 5s), Due::kPing);
    ASSERT_TRUE(answered(heartbeat, kStart + 5s));
    // It wakes, says so, and hangs.
    const auto woke = kStart + 5s + when;
    for (auto now = kStart + 5s; now < woke; now += 1s)
      if (heartbeat.due(now) == Due::kPing) answered(heartbeat, now);
    heartbeat.stir(woke);
    Heartbeat::Clock::time_point end = woke;
    while (heartbeat.due(end) != Due::kEnd) end += 1s;
    EXPECT_LE(end, woke + kBefore) << when.count();
  }
}

TEST(Heartbeat, WhoWakesAgainAndAgainIsAskedAtEachInterval) {
  Heartbeat heartbeat(kStart);
  ASSERT_EQ(heartbeat.due(kStart + 5s), Due::kPing);
  ASSERT_TRUE(answered(heartbeat, kStart + 5s));
  heartbeat.stir(kStart + 5s);
  heartbeat.stir(kStart + 9s);
  EXPECT_EQ(heartbeat.next(), kStart + 10s);
  heartbeat.stir(kStart + 9s);
  EXPECT_EQ(heartbeat.due(kStart + 10s), Due::kPing);
  heartbeat.stir(kStart + 11s);
  EXPECT_EQ(heartbeat.due(kStart + 20s - 1ms), Due::kNothing) << "the time for the answer is the same";
  EXPECT_EQ(heartbeat.due(kStart + 20s), Due::kEnd);
}

TEST(Heartbeat, WhoWakesBeforeTheGateHasAnsweredIsNotForgotten) {
  Heartbeat heartbeat(kStart);
  ASSERT_EQ(heartbeat.due(kStart + 5s), Due::kPing);
  heartbeat.stir(kStart + 5s);  // it has yet to answer, and counts until then
  EXPECT_FALSE(heartbeat.answered(Heartbeat::kMatcher, kStart + 6s));
  heartbeat.stir(kStart + 6s);
  EXPECT_EQ(heartbeat.next(), kStart + 25s) << "the time for the gate's answer is the same";
  ASSERT_TRUE(heartbeat.answered(Heartbeat::kGate, kStart + 7s));
  EXPECT_EQ(heartbeat.next(), kStart + 12s);
  ASSERT_EQ(heartbeat.due(kStart + 12s), Due::kPing);
  ASSERT_TRUE(answered(heartbeat, kStart + 12s));
  EXPECT_EQ(heartbeat.next(), kStart + 32s);
}

TEST(Heartbeat, WhoWakesLateIsAskedTwoSecondsAfterThat) {
  Heartbeat heartbeat(kStart);
  ASSERT_EQ(heartbeat.due(kStart + 5s), Due::kPing);
  ASSERT_TRUE(answered(heartbeat, kStart + 5s));
  heartbeat.stir(kStart + 15s);
  EXPECT_EQ(heartbeat.next(), kStart + 17s);
  heartbeat.stir(kStart + 16s);
  EXPECT_EQ(heartbeat.next(), kStart + 17s);
}

TEST(Heartbeat, TheFirstAnswerMayTakeTwentySecondsBecauseTheyHaveToStart) {
  Heartbeat heartbeat(kStart);
  EXPECT_EQ(heartbeat.due(kStart + 5s), Due::kPing);
  EXPECT_EQ(heartbeat.due(kStart + 25s - 1ms), Due::kNothing);
  EXPECT_EQ(heartbeat.due(kStart + 25s), Due::kEnd);
}

TEST(Heartbeat, AnyOtherMayTakeTen) {
  Heartbeat heartbeat(kStart);
  EXPECT_EQ(heartbeat.due(kStart + 5s), Due::kPing);
  EXPECT_TRUE(answered(heartbeat, kStart + 20s));
  EXPECT_EQ(heartbeat.due(kStart + 40s), Due::kPing);
  EXPECT_EQ(heartbeat.due(kStart + 50s - 1ms), Due::kNothing);
  EXPECT_EQ(heartbeat.due(kStart + 50s), Due::kEnd);
  EXPECT_EQ(heartbeat.patience(), 10s);
}

TEST(Heartbeat, AnAnswerToNoQuestionIsAViolation) {
  Heartbeat heartbeat(kStart);
  for (const auto who : {Heartbeat::kMatcher, Heartbeat::kGate})
    EXPECT_THROW(heartbeat.answered(who, kStart + 1s), Violation);
  EXPECT_EQ(heartbeat.due(kStart + 5s), Due::kPing) << "and delays nothing";
  EXPECT_TRUE(answered(heartbeat, kStart + 6s));
  for (const auto who : {Heartbeat::kMatcher, Heartbeat::kGate})
    EXPECT_THROW(heartbeat.answered(who, kStart + 6s), Violation);
}

TEST(Heartbeat, BothMustAnswerInAnyOrderAndOnce) {
  for (const auto& [first, second] :
       {std::pair{Heartbeat::kMatcher, Heartbeat::kGate}, {Heartbeat::kGate, Heartbeat::kMatcher}}) {
    Heartbeat heartbeat(kStart);
    EXPECT_EQ(heartbeat.due(kStart + 5s), Due::kPing);
    EXPECT_FALSE(heartbeat.answered(first, kStart + 6s));
    EXPECT_THROW(heartbeat.answered(first, kStart + 6s), Violation);
    EXPECT_EQ(heartbeat.due(kStart + 25s - 1ms), Due::kNothing);
    EXPECT_TRUE(heartbeat.answered(second, kStart + 7s));
    EXPECT_EQ(heartbeat.due(kStart + 27s), Due::kPing);
    EXPECT_FALSE(heartbeat.answered(first, kStart + 28s));
    EXPECT_EQ(heartbeat.due(kStart + 37s), Due::kEnd) << "one is not enough";
  }
}

}  // namespace
}  // namespace whawty
