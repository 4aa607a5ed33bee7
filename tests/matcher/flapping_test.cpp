// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/flapping.h"

#include <gtest/gtest.h>

#include "protocol/device.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;
using Clock = Flapping::Clock;
using Ports = std::vector<std::string>;

const Clock::time_point kStart{1000s};

class FlappingTest : public testing::Test {
 protected:
  FlappingTest() { flapping_.limit(3); }

  // The device comes, as if for the first time or once more, so many times at once; how often that put it
  // aside.
  int appear(int times, const std::string& port = "1-1") {
    int put_aside = 0;
    for (int i = 0; i < times; ++i) put_aside += flapping_.appeared(port, now_) ? 1 : 0;
    return put_aside;
  }
  bool is_aside(const std::string& port = "1-1") const { return flapping_.put_aside().contains(port); }

  Flapping flapping_;
  Clock::time_point now_ = kStart;
};

TEST_F(FlappingTest, AsManyReconnectsAsTheLimitAreFine) {
  EXPECT_EQ(appear(1 + 3), 0);
  EXPECT_FALSE(is_aside());
}

TEST_F(FlappingTest, OneMoreIsTooMany) {
  EXPECT_EQ(appear(1 + 3), 0);
  EXPECT_EQ(appear(1), 1);
  EXPECT_TRUE(is_aside());
}

TEST_F(FlappingTest, WhatIsPutAsideIsSoOnlyOnce) {
  EXPECT_EQ(appear(100), 1);
}

TEST_F(FlappingTest, OnlyTheLastMinuteCounts) {
  for (int i = 0; i < 100; ++i, now_ += 15s)
    EXPECT_EQ(appear(1), 0) << "four a minute, of which one is the first";
  now_ += 14s;
  EXPECT_EQ(appear(1), 0) << "29 s after the last one, 59 s after the third last";
  EXPECT_EQ(appear(1), 1);
}

TEST_F(FlappingTest, EachPortCountsForItself) {
  appear(5);
  EXPECT_EQ(appear(4, "1-2"), 0);
  EXPECT_FALSE(is_aside("1-2"));
}

TEST_F(FlappingTest, ItIsTakenBackWhenNothingHappenedForHalfAMinute) {
  appear(5);
  EXPECT_EQ(flapping_.next(), kStart + 30s);
  EXPECT_EQ(flapping_.take_back(kStart + 30s - 1ns), Ports{});
  EXPECT_TRUE(is_aside());
  EXPECT_EQ(flapping_.take_back(kStart + 30s), Ports{"1-1"});
  EXPECT_FALSE(is_aside());
  EXPECT_EQ(flapping_.take_back(kStart + 31s), Ports{});
  EXPECT_EQ(flapping_.next(), Clock::time_point::max());
}

TEST_F(FlappingTest, ComingAndLeavingBothEndTheQuiet) {
  appear(5);
  now_ += 20s;
  appear(1);
  EXPECT_EQ(flapping_.next(), kStart + 50s);
  flapping_.left("1-1", now_ += 20s);
  EXPECT_EQ(flapping_.next(), kStart + 70s);
  EXPECT_EQ(flapping_.take_back(kStart + 69s), Ports{});
  EXPECT_EQ(flapping_.take_back(kStart + 70s), Ports{"1-1"});
}

TEST_F(FlappingTest, WhatStartsAgainAfterAQuietHalfMinuteIsPutAsideSooner) {
  appear(5);
  flapping_.take_back(now_ += 30s);
  EXPECT_EQ(appear(1), 1) << "the minute is not over";
}

TEST_F(FlappingTest, AfterAQuietMinuteAllIsForgotten) {
  appear(5);
  flapping_.take_back(now_ += 60s);
  EXPECT_EQ(appear(4), 0);
}

TEST_F(FlappingTest, ALimitOfZeroIsNone) {
  flapping_.limit(0);
  EXPECT_EQ(appear(1000), 0);
}

TEST_F(FlappingTest, ANewLimitOfZeroTakesEverythingBack) {
  appear(5);
  flapping_.limit(0);
  EXPECT_FALSE(is_aside());
  EXPECT_EQ(flapping_.next(), Clock::time_point::max());
}

TEST_F(FlappingTest, ALowerLimitCountsWhatWasBefore) {
  flapping_.limit(100);
  appear(50);
  flapping_.limit(3);
  EXPECT_EQ(appear(1), 1);
}

TEST_F(FlappingTest, NoMorePortsAreWatchedThanThereCanBeDevicesAndQuietOnesMakeRoom) {
  for (std::size_t i = 0; i < kMaxDevices; ++i) appear(1, "1-" + std::to_string(i));
  EXPECT_EQ(appear(100, "2-1"), 0) << "no room for one more";
  now_ += 60s;
  EXPECT_EQ(appear(5, "2-1"), 1) << "the others are forgotten";
}

TEST_F(FlappingTest, WhatIsPutAsideIsNotForgottenForLackOfRoom) {
  appear(5);
  for (std::size_t i = 1; i < kMaxDevices; ++i) appear(1, "2-" + std::to_string(i));
  now_ += 60s;
  appear(5, "3-1");
  EXPECT_TRUE(is_aside("3-1"));
  EXPECT_EQ(flapping_.take_back(now_), Ports{"1-1"});
}

}  // namespace
}  // namespace whawty
