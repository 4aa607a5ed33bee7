// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/flapping.h"

#include <gtest/gtest.h>

#include "protocol/device.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;
using Clock = Flapping::Clock;
using Ports = Flapping::Ports;
using PutAside = Flapping::PutAside;

const Clock::time_point kStart{1000s};

class FlappingTest : public testing::Test {
 protected:
  FlappingTest() { flapping_.limit(3); }

  // The device comes, as if for the first time or once more, so many times at once; how often that put it
  // aside.
  int appear(int times, const std::string& port = "1-1") {
    int put_aside = 0;
    for (int i = 0; i < times; ++i) {
      const auto what = flapping_.appeared(port, now_);
      put_aside += what == PutAside::kPort ? 1 : 0;
      roots_put_aside_ += what == PutAside::kRootPort ? 1 : 0;
    }
    return put_aside;
  }
  // A device comes to each of so many ports of the hub at 1-1.
  void dock(int ports) {
    for (int i = 1; i <= ports; ++i) appear(1, "1-1." + std::to_string(i));
  }
  bool is_aside(const std::string& port = "1-1") const { return flapping_.is_put_aside(port); }
  Ports take_back(Clock::time_point now) { return flapping_.take_back(now).ports; }

  Flapping flapping_;
  Clock::time_point now_ = kStart;
  int roots_put_aside_ = 0;
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
  EXPECT_EQ(take_back(kStart + 30s - 1ns), Ports{});
  EXPECT_TRUE(is_aside());
  EXPECT_EQ(take_back(kStart + 30s), Ports{"1-1"});
  EXPECT_FALSE(is_aside());
  EXPECT_EQ(take_back(kStart + 31s), Ports{});
  EXPECT_EQ(flapping_.next(), Clock::time_point::max());
}

TEST_F(FlappingTest, ComingAndLeavingBothEndTheQuiet) {
  appear(5);
  now_ += 20s;
  appear(1);
  EXPECT_EQ(flapping_.next(), kStart + 50s);
  flapping_.left("1-1", now_ += 20s);
  EXPECT_EQ(flapping_.next(), kStart + 70s);
  EXPECT_EQ(take_back(kStart + 69s), Ports{});
  EXPECT_EQ(take_back(kStart + 70s), Ports{"1-1"});
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

// Behind one root port. The limit of all together is four times that of one, which is 3.

TEST_F(FlappingTest, AHubThatReconnectsADeviceAtEachOfItsPortsInTurnIsPutAsideAsAWhole) {
  for (int round = 0; round < 4; ++round) dock(4);
  EXPECT_EQ(roots_put_aside_, 0) << "twelve reconnects";
  EXPECT_FALSE(is_aside("1-1.1"));
  appear(1, "1-1.5.7");
  EXPECT_EQ(roots_put_aside_, 0) << "the first one at its port";
  appear(1, "1-1.5.7");
  EXPECT_EQ(roots_put_aside_, 1);
  for (const char* const port : {"1-1", "1-1.1", "1-1.5.7", "1-1.6"}) EXPECT_TRUE(is_aside(port)) << port;
  for (const char* const port : {"1-2", "1-11", "1-11.1", "2-1", "2-1.1"})
    EXPECT_FALSE(is_aside(port)) << port;
}

TEST_F(FlappingTest, OtherRootPortsCountForThemselves) {
  for (int i = 0; i < 4; ++i)
    for (const char* const port : {"1-1.1", "1-1.2", "1-1.3", "1-2.1", "1-2.2", "1-2.3"}) appear(1, port);
  appear(2, "1-1.4");
  EXPECT_EQ(roots_put_aside_, 0) << "ten reconnects behind one, nine behind the other";
}

TEST_F(FlappingTest, ADeviceThatIsPutAsideAloneLeavesTheOthersOfItsHubAlone) {
  EXPECT_EQ(appear(1000, "1-1.1"), 1);
  EXPECT_EQ(roots_put_aside_, 0);
  EXPECT_FALSE(is_aside("1-1.2"));
  for (int port = 2; port <= 4; ++port) appear(4, "1-1." + std::to_string(port));
  EXPECT_EQ(roots_put_aside_, 0) << "twelve reconnects, without those that were of no effect";
}

TEST_F(FlappingTest, BehindARootPortThatIsPutAsideNothingElseIs) {
  for (int round = 0; round < 10; ++round) dock(7);
  EXPECT_EQ(roots_put_aside_, 1);
  EXPECT_EQ(appear(100, "1-1.1") + appear(100, "1-1.9"), 0);
}

TEST_F(FlappingTest, ADockMayComeFourTimesAMinuteWithAnyNumberOfDevices) {
  flapping_.limit(10);
  for (int i = 0; i < 40; ++i, now_ += 15s) {
    appear(1, "1-1");
    dock(9);
    flapping_.take_back(now_);
  }
  EXPECT_EQ(roots_put_aside_, 0) << "forty reconnects a minute";
  flapping_.limit(3);
  now_ += 60s;
  dock(127);
  EXPECT_EQ(roots_put_aside_, 0);
}

TEST_F(FlappingTest, MoreFirstAppearancesThanABusHasRoomForAreReconnects) {
  dock(127 + 12);
  EXPECT_EQ(roots_put_aside_, 0);
  appear(1, "1-1.200");
  EXPECT_EQ(roots_put_aside_, 1);
}

TEST_F(FlappingTest, ForARootPortOnlyTheLastMinuteCounts) {
  for (int i = 0; i < 100; ++i, now_ += 20s) dock(4);
  dock(4);
  EXPECT_EQ(roots_put_aside_, 0) << "twelve a minute";
  appear(1, "1-1.1");
  EXPECT_EQ(roots_put_aside_, 1);
}

TEST_F(FlappingTest, ARootPortIsTakenBackWhenNothingHappenedBehindItForHalfAMinute) {
  for (int round = 0; round < 10; ++round) dock(5);
  EXPECT_EQ(flapping_.next(), kStart + 30s);
  flapping_.left("1-1.3", now_ += 20s);
  EXPECT_EQ(flapping_.next(), kStart + 50s);
  appear(1, "1-1.8.1");
  appear(1, "1-2");
  now_ += 29s;
  EXPECT_EQ(flapping_.take_back(now_).root_ports, Ports{});
  EXPECT_TRUE(is_aside("1-1.8.1"));
  const auto quiet = flapping_.take_back(now_ += 1s);
  EXPECT_EQ(quiet.ports, Ports{});
  EXPECT_EQ(quiet.root_ports, Ports{"1-1"});
  EXPECT_FALSE(is_aside("1-1.8.1"));
  EXPECT_EQ(flapping_.next(), Clock::time_point::max());
}

TEST_F(FlappingTest, ALimitOfZeroIsNoneForARootPortEither) {
  for (int round = 0; round < 10; ++round) dock(7);
  flapping_.limit(0);
  EXPECT_FALSE(is_aside("1-1.1"));
  EXPECT_EQ(flapping_.next(), Clock::time_point::max());
  for (int round = 0; round < 100; ++round) dock(7);
  EXPECT_EQ(roots_put_aside_, 1);
}

TEST_F(FlappingTest, NoMoreRootPortsAreWatchedThanAnyHostHasAndQuietOnesMakeRoom) {
  for (int i = 0; i < 1024; ++i) appear(1, "2-" + std::to_string(i));
  const auto reconnect = [&] {
    for (int round = 0; round < 4; ++round) dock(7);
  };
  reconnect();
  EXPECT_EQ(roots_put_aside_, 0);
  now_ += 60s;
  reconnect();
  EXPECT_EQ(roots_put_aside_, 1);
}

TEST_F(FlappingTest, PortsThatThereIsNoRoomForCountForTheirRootPort) {
  for (std::size_t i = 0; i < kMaxDevices; ++i) appear(1, "2-1." + std::to_string(i));
  appear(12, "1-1.1");
  EXPECT_FALSE(is_aside("1-1.1"));
  appear(1, "1-1.1");
  EXPECT_TRUE(is_aside("1-1.1"));
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
  EXPECT_EQ(take_back(now_), Ports{"1-1"});
}

}  // namespace
}  // namespace whawty
