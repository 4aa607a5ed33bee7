// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/attempts.h"

#include <gtest/gtest.h>

#include <vector>

namespace whawty {
namespace {

using namespace std::chrono_literals;
using Report = Attempts::Report;

const Uuid kDomain{1, 2};
const ChangeKey kKey{kDomain, true, {1, 5, 0x046d, 0x0825}};
const Clock::time_point kStart{1000s};

TEST(Attempts, TheFirstIsDueAtOnce) {
  EXPECT_TRUE(Attempts{}.due(kKey, kStart));
}

TEST(Attempts, PausesDoubleFromTenthOfSecondToHalfMinute) {
  Attempts attempts;
  auto now = kStart;
  std::vector<std::chrono::milliseconds> pauses;
  for (int i = 0; i < 12; ++i) {
    attempts.ended(kKey, false, now);
    EXPECT_FALSE(attempts.due(kKey, now));
    const auto next = attempts.next(now);
    pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(next - now));
    EXPECT_FALSE(attempts.due(kKey, next - 1ns));
    EXPECT_TRUE(attempts.due(kKey, next));
    EXPECT_EQ(attempts.next(next), Clock::time_point::max()) << "it is over";
    now = next;
  }
  const std::vector<std::chrono::milliseconds> expected{100ms,  200ms,   400ms,   800ms,   1600ms,  3200ms,
                                                        6400ms, 12800ms, 25600ms, 30000ms, 30000ms, 30000ms};
  EXPECT_EQ(pauses, expected);
}

TEST(Attempts, TheCallerMayAskForMorePatience) {
  Attempts attempts;
  attempts.ended(kKey, true, kStart, 5s);
  EXPECT_EQ(attempts.next(kStart), kStart + 5s);
}

TEST(Attempts, ALastingFailureIsSaidOnceAndNotTheFirstTime) {
  Attempts attempts;
  EXPECT_EQ(attempts.ended(kKey, false, kStart), Report::kNothing);
  EXPECT_EQ(attempts.ended(kKey, false, kStart), Report::kFailed);
  EXPECT_EQ(attempts.ended(kKey, false, kStart), Report::kNothing);
  EXPECT_EQ(attempts.ended(kKey, false, kStart), Report::kNothing);
}

TEST(Attempts, ThatItWorksAtLastIsSaidWithTheAttemptsThatItTook) {
  Attempts attempts;
  attempts.ended(kKey, false, kStart);
  attempts.ended(kKey, false, kStart + 1s);
  EXPECT_EQ(attempts.ended(kKey, true, kStart + 3s), Report::kMended);
  EXPECT_EQ(attempts.tries(kKey).count, 3U);
  EXPECT_EQ(attempts.tries(kKey).first, kStart);
  EXPECT_EQ(attempts.ended(kKey, true, kStart + 4s), Report::kNoEffect)
      << "and yet the plan asks for it again";
}

TEST(Attempts, AFailureThatWasNotSaidNeedsNoMending) {
  Attempts attempts;
  attempts.ended(kKey, false, kStart);
  EXPECT_EQ(attempts.ended(kKey, true, kStart), Report::kDone);
}

TEST(Attempts, WhatWorksInVainIsSaidTwiceAtMost) {
  Attempts attempts;
  EXPECT_EQ(attempts.ended(kKey, true, kStart), Report::kDone);
  EXPECT_EQ(attempts.ended(kKey, true, kStart), Report::kNoEffect);
  EXPECT_EQ(attempts.ended(kKey, true, kStart), Report::kNothing);
}

TEST(Attempts, WhatIsNoLongerWantedIsForgotten) {
  Attempts attempts;
  attempts.ended(kKey, false, kStart);
  attempts.keep([](const ChangeKey&) { return false; });
  EXPECT_TRUE(attempts.due(kKey, kStart));
  EXPECT_EQ(attempts.ended(kKey, false, kStart), Report::kNothing) << "the count starts over";
}

TEST(Attempts, AChangeOfTheDomainOrDeviceEndsThePause) {
  Attempts attempts;
  attempts.ended(kKey, false, kStart);
  attempts.hurry(Uuid{9, 9});
  attempts.hurry(1, 6);
  EXPECT_FALSE(attempts.due(kKey, kStart));
  attempts.hurry(kDomain);
  EXPECT_TRUE(attempts.due(kKey, kStart));
  attempts.ended(kKey, false, kStart);
  attempts.hurry(1, 5);
  EXPECT_TRUE(attempts.due(kKey, kStart));
}

TEST(Attempts, AChangeWhileAnAttemptFailsShortensThePause) {
  Attempts attempts;
  for (int i = 0; i < 6; ++i) attempts.ended(kKey, false, kStart);
  attempts.began(kKey);
  attempts.hurry(1, 5);
  attempts.ended(kKey, false, kStart);
  EXPECT_EQ(attempts.next(kStart), kStart + 100ms) << "it may have failed for what was before the change";
  attempts.began(kKey);
  attempts.ended(kKey, false, kStart);
  EXPECT_GT(attempts.next(kStart), kStart + 5s) << "nothing changed any more";
}

TEST(Attempts, AChangeBeforeAnAttemptDoesNotShortenThePauseAfterIt) {
  Attempts attempts;
  for (int i = 0; i < 6; ++i) attempts.ended(kKey, false, kStart);
  attempts.hurry(kDomain);
  attempts.began(kKey);
  attempts.ended(kKey, false, kStart);
  EXPECT_GT(attempts.next(kStart), kStart + 5s);
}

TEST(Attempts, AChangeWhileAnAttemptSucceedsLeavesThePatience) {
  Attempts attempts;
  attempts.began(kKey);
  attempts.hurry(kDomain);
  attempts.ended(kKey, true, kStart, 5s);
  EXPECT_EQ(attempts.next(kStart), kStart + 5s) << "it is the attempt that changed something";
  for (int i = 0; i < 6; ++i) attempts.ended(kKey, true, kStart);
  attempts.began(kKey);
  attempts.hurry(kDomain);
  attempts.ended(kKey, true, kStart);
  EXPECT_GT(attempts.next(kStart), kStart + 5s) << "nor does it begin anew";
}

}  // namespace
}  // namespace whawty
