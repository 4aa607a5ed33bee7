// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/heartbeat.h"

#include <gtest/gtest.h>

namespace whawty {
namespace {

using namespace std::chrono_literals;
using Due = Heartbeat::Due;

constexpr Heartbeat::Clock::time_point kStart{1000s};

TEST(Heartbeat, WorkersAreAskedFiveSecondsAfterTheirStartAndAfterEachAnswer) {
  Heartbeat heartbeat(kStart);
  EXPECT_EQ(heartbeat.due(kStart + 5s - 1ms), Due::kNothing);
  EXPECT_EQ(heartbeat.next(), kStart + 5s);
  EXPECT_EQ(heartbeat.due(kStart + 5s), Due::kPing);
  EXPECT_TRUE(heartbeat.answered(kStart + 7s));
  EXPECT_EQ(heartbeat.due(kStart + 12s - 1ms), Due::kNothing);
  EXPECT_EQ(heartbeat.due(kStart + 12s), Due::kPing);
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
  EXPECT_TRUE(heartbeat.answered(kStart + 20s));
  EXPECT_EQ(heartbeat.due(kStart + 25s), Due::kPing);
  EXPECT_EQ(heartbeat.due(kStart + 35s - 1ms), Due::kNothing);
  EXPECT_EQ(heartbeat.due(kStart + 35s), Due::kEnd);
  EXPECT_EQ(heartbeat.patience(), 10s);
}

TEST(Heartbeat, AnAnswerToNoQuestionIsNone) {
  Heartbeat heartbeat(kStart);
  EXPECT_FALSE(heartbeat.answered(kStart + 1s));
  EXPECT_EQ(heartbeat.due(kStart + 5s), Due::kPing) << "and delays nothing";
  EXPECT_TRUE(heartbeat.answered(kStart + 6s));
  EXPECT_FALSE(heartbeat.answered(kStart + 6s));
}

}  // namespace
}  // namespace whawty
