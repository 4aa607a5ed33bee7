// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/restarts.h"

#include <gtest/gtest.h>

namespace whawty {
namespace {

using namespace std::chrono_literals;

constexpr Restarts::Clock::time_point kStart{1000s};

TEST(Restarts, TheFirstStartIsAtOnce) {
  EXPECT_LE(Restarts{}.next(), kStart);
}

TEST(Restarts, PausesGrowFromATenthOfASecondToFive) {
  Restarts restarts;
  for (const auto pause : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
    restarts.started();
    EXPECT_EQ(restarts.ended(kStart), pause);
    EXPECT_EQ(restarts.next(), kStart + pause);
  }
}

TEST(Restarts, WhoHasWorkedForASecondStartsThePausesOver) {
  Restarts restarts;
  restarts.ended(kStart);
  restarts.started();
  restarts.at_work(kStart);
  EXPECT_EQ(restarts.ended(kStart + 1s - 1ms), 200ms);
  restarts.started();
  restarts.at_work(kStart);
  EXPECT_EQ(restarts.ended(kStart + 1s), 100ms);
}

TEST(Restarts, ALongStartIsNoWork) {
  Restarts restarts;
  restarts.started();
  restarts.at_work(kStart);
  restarts.ended(kStart + 1min);
  restarts.started();
  EXPECT_EQ(restarts.ended(kStart + 1h), 200ms);
}

}  // namespace
}  // namespace whawty
