// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/rate_limit.h"

#include <gtest/gtest.h>

namespace whawty {
namespace {

using namespace std::chrono_literals;

constexpr RateLimit::Clock::time_point kStart{1h};

// How many come at once from `now` on, of as many as want to.
int come(RateLimit& rate, RateLimit::Clock::time_point now) {
  int count = 0;
  for (; rate.wait(now) <= 0s && count < 1000; ++count) rate.count(now);
  return count;
}

TEST(RateLimitTest, AfterARestABurstComesAtOnce) {
  RateLimit rate(10, 25);
  EXPECT_EQ(come(rate, kStart), 25);
  EXPECT_EQ(come(rate, kStart), 0);
}

TEST(RateLimitTest, ThenAsManyASecondAsAllowed) {
  RateLimit rate(10, 25);
  come(rate, kStart);
  EXPECT_EQ(rate.wait(kStart), 100ms);
  EXPECT_EQ(come(rate, kStart + 99ms), 0);
  EXPECT_EQ(come(rate, kStart + 100ms), 1);
  EXPECT_EQ(come(rate, kStart + 1s), 9);
}

TEST(RateLimitTest, RestIsNotSavedUpBeyondABurst) {
  RateLimit rate(10, 25);
  EXPECT_EQ(come(rate, kStart + 24h), 25);
}

}  // namespace
}  // namespace whawty
