// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/flapping.h"

#include <gtest/gtest.h>

#include "common/bounds.h"
#include "protocol/device.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;
using Clock = Flapping::Clock;
using Ports = Flapping::Ports;

const Clock::time_point kStart{1000s};

class FlappingTest : public testing::Test {
 protected:
  FlappingTest() { flapping_.limit(3); }

  // The device comes, as if for the first time or once more, so many times at once; how often that put it
  // aside.
  int appear(int times, const std::string& port = "1-1") {
    int put_aside = 0;
    for (int i = 0; i < times; ++i) {
      const auto aside = flapping_.appeared(port, now_);
      if (aside && aside->as_hub) hubs_put_aside_.push_back(aside->port);
      put_aside += aside == Flapping::PutAside{port, false} ? 1 : 0;
    }
    return put_aside;
  }
  // A device comes to each of so many ports of hub 1-1, so many times.
  void dock(int ports, int times = 1) {
    for (int i = 0; i < ports * times; ++i) appear(1, "1-1." + std::to_string(1 + i % ports));
  }
  // A device comes to each of seven ports of the hub in turn, so many times after it was first there.
  void reconnect_behind(const std::string& hub, int times) {
    for (int i = 0; i < 7 + times; ++i) appear(1, hub + '.' + std::to_string(1 + i % 7));
  }
  bool is_aside(const std::string& port = "1-1") const { return flapping_.is_put_aside(port); }
  void expect_aside(const Ports& ports) const {
    for (const std::string& port : ports) EXPECT_TRUE(is_aside(port)) << port;
  }
  void expect_served(const Ports& ports) const {
    for (const std::string& port : ports) EXPECT_FALSE(is_aside(port)) << port;
  }
  Ports take_back(Clock::time_point now) { return flapping_.take_back(now).ports; }

  Flapping flapping_;
  Clock::time_point now_ = kStart;
  Ports hubs_put_aside_;
};

TEST_F(FlappingTest, AsManyReconnectsAsTheLimitAreFineAndOneMoreIsTooMany) {
  EXPECT_EQ(appear(1 + 3), 0);
  EXPECT_FALSE(is_aside());
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

// Behind one hub. The limit of all together is four times that of one, which is 3.

TEST_F(FlappingTest, AHubThatReconnectsADeviceAtEachOfItsPortsInTurnIsPutAsideAsAWhole) {
  dock(4, 4);
  EXPECT_EQ(hubs_put_aside_, Ports{}) << "twelve reconnects";
  EXPECT_FALSE(is_aside("1-1.1"));
  appear(1, "1-1.5.7");
  EXPECT_EQ(hubs_put_aside_, Ports{}) << "the first one at its port";
  appear(1, "1-1.5.7");
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1"});
  expect_aside({"1-1", "1-1.1", "1-1.5.7", "1-1.5.8"});
  appear(1, "1-1.6");
  EXPECT_TRUE(is_aside("1-1.6")) << "what comes later, too";
  expect_served({"1-2", "1-11", "1-11.1", "2-1", "2-1.1"});
}

TEST_F(FlappingTest, APortWhoseNameBeginsLikeAHubsIsNotBehindIt) {
  appear(5, "1-11");
  dock(7, 10);
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1"});
  expect_aside({"1-11"});
}

TEST_F(FlappingTest, OtherPortsOfTheHostCountForThemselves) {
  for (int i = 0; i < 4; ++i)
    for (const char* const port : {"1-1.1", "1-1.2", "1-1.3", "1-2.1", "1-2.2", "1-2.3"}) appear(1, port);
  appear(2, "1-1.4");
  EXPECT_EQ(hubs_put_aside_, Ports{}) << "ten reconnects behind one, nine behind the other";
}

TEST_F(FlappingTest, ADeviceThatIsPutAsideAloneLeavesTheOthersOfItsHubAlone) {
  EXPECT_EQ(appear(1000, "1-1.1"), 1);
  EXPECT_EQ(hubs_put_aside_, Ports{});
  EXPECT_FALSE(is_aside("1-1.2"));
  for (int port = 2; port <= 4; ++port) appear(4, "1-1." + std::to_string(port));
  EXPECT_EQ(hubs_put_aside_, Ports{}) << "twelve reconnects, without those that were of no effect";
}

TEST_F(FlappingTest, BehindAHubThatIsPutAsideNothingElseIs) {
  dock(7, 10);
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1"});
  EXPECT_EQ(appear(100, "1-1.1") + appear(100, "1-1.9"), 0);
}

TEST_F(FlappingTest, ADockMayComeFourTimesAMinuteWithAnyNumberOfDevices) {
  flapping_.limit(10);
  for (int i = 0; i < 40; ++i, now_ += 15s) {
    appear(1, "1-1");
    dock(9);
    flapping_.take_back(now_);
  }
  EXPECT_EQ(hubs_put_aside_, Ports{}) << "forty reconnects a minute";
  flapping_.limit(3);
  now_ += 60s;
  dock(127);
  EXPECT_EQ(hubs_put_aside_, Ports{});
}

TEST_F(FlappingTest, MoreFirstAppearancesThanABusHasRoomForAreReconnects) {
  dock(127 + 12);
  EXPECT_EQ(hubs_put_aside_, Ports{});
  appear(1, "1-1.200");
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1"});
}

TEST_F(FlappingTest, BehindAHubOnlyTheLastMinuteCounts) {
  for (int i = 0; i < 100; ++i, now_ += 20s) dock(4);
  dock(4);
  EXPECT_EQ(hubs_put_aside_, Ports{}) << "twelve a minute";
  appear(1, "1-1.1");
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1"});
}

TEST_F(FlappingTest, AHubIsTakenBackWhenNothingHappenedBehindItForHalfAMinute) {
  dock(5, 10);
  EXPECT_EQ(flapping_.next(), kStart + 30s);
  flapping_.left("1-1.3", now_ += 20s);
  EXPECT_EQ(flapping_.take_back(kStart + 30s).hubs, Ports{});
  EXPECT_EQ(flapping_.next(), kStart + 50s);
  appear(1, "1-1.8.1");
  appear(1, "1-2");
  now_ += 29s;
  EXPECT_EQ(flapping_.take_back(now_).hubs, Ports{});
  EXPECT_TRUE(is_aside("1-1.8.1"));
  const auto quiet = flapping_.take_back(now_ += 1s);
  EXPECT_EQ(quiet.ports, Ports{});
  EXPECT_EQ(quiet.hubs, Ports{"1-1"});
  EXPECT_FALSE(is_aside("1-1.8.1"));
  EXPECT_EQ(flapping_.next(), Clock::time_point::max());
}

TEST_F(FlappingTest, ALimitOfZeroIsNoneForAHubEither) {
  dock(7, 10);
  flapping_.limit(0);
  EXPECT_FALSE(is_aside("1-1.1"));
  EXPECT_EQ(flapping_.next(), Clock::time_point::max());
  dock(7, 100);
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1"});
}

// Behind hubs behind hubs.

TEST_F(FlappingTest, AHubThatDoesHarmIsPutAsideAndNotTheOneThatItIsPluggedInto) {
  appear(1, "1-1.1");
  appear(2, "1-1.2");
  reconnect_behind("1-1.4", 13);
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1.4"}) << "thirteen reconnects; fourteen behind 1-1";
  expect_served({"1-1.1", "1-1.2", "1-1.3", "1-1.41", "1-1"});
  expect_aside({"1-1.4", "1-1.4.1", "1-1.4.7"});
}

TEST_F(FlappingTest,
       PortsBesideAHubThatIsPutAsideMayReconnectTwiceAsOftenAsOneDeviceBeforeTheOuterHubIsPutAside) {
  reconnect_behind("1-1.4", 1000);
  for (int i = 1; i <= 3; ++i) appear(3, "1-1." + std::to_string(i));
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1.4"}) << "six reconnects beside it";
  EXPECT_FALSE(is_aside("1-1.1"));
  appear(1, "1-1.1");
  EXPECT_EQ(hubs_put_aside_, (Ports{"1-1.4", "1-1"}));
}

TEST_F(FlappingTest, HubsThatStayWithinTheirLimitsOneAndAllPutTheOuterOneAside) {
  for (int hub = 1; hub <= 3; ++hub) reconnect_behind("1-1.4." + std::to_string(hub), 6);
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1.4"}) << "the thirteenth: twelve are fine";
}

TEST_F(FlappingTest, HubsThatArePutAsideOneAfterTheOtherTakeTheOuterOneAlong) {
  reconnect_behind("1-1.4.1", 13);
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1.4.1"});
  reconnect_behind("1-1.4.2", 13);
  EXPECT_EQ(hubs_put_aside_, (Ports{"1-1.4.1", "1-1.4"})) << "the seventh behind the second one";
  reconnect_behind("1-1.4.3", 1000);
  EXPECT_EQ(hubs_put_aside_.size(), 2U);
  appear(4, "1-1.1");
  EXPECT_FALSE(is_aside("1-1.1"));
  EXPECT_EQ(flapping_.take_back(now_ + 30s).hubs, Ports{"1-1.4"}) << "and not what is behind it once more";
}

// However it is spread: five hubs, one behind the other, are all that USB knows.
TEST_F(FlappingTest, OfAllThatHubsBehindHubsCanDoTwelveTimesTheLimitIsServed) {
  const std::string inner[] = {"1-1.4.4.4.4", "1-1.4.4.4", "1-1.4.4", "1-1.4", "1-1"};
  int served = 0;
  for (int round = 0; round < 4; ++round)  // the first of which has the first appearances
    for (const std::string& hub : inner)
      for (int port = 1; port <= 31; ++port) {
        const std::string device = hub + '.' + std::to_string(port);
        if (port == 4 && hub != inner[0]) continue;
        appear(1, device);
        served += round > 0 && !is_aside(device) ? 1 : 0;
      }
  EXPECT_LE(served, 12 * 3);
  EXPECT_EQ(hubs_put_aside_.back(), "1-1");
}

TEST_F(FlappingTest, ALooseCableBesideAHubThatDoesHarmIsPutAsideAlone) {
  reconnect_behind("1-1.4", 100);
  EXPECT_EQ(appear(100, "1-1.1"), 1);
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1.4"});
  EXPECT_FALSE(is_aside("1-1.2"));
}

TEST_F(FlappingTest, AHubThatReconnectsItselfTakesAlongWhatIsBehindIt) {
  for (int i = 0; i < 5; ++i) {
    appear(1, "1-1.4");
    appear(1, "1-1.4.1");
  }
  EXPECT_TRUE(is_aside("1-1.4.1"));
  EXPECT_FALSE(is_aside("1-1.1"));
  EXPECT_EQ(take_back(now_ + 30s), Ports{"1-1.4"});
  EXPECT_FALSE(is_aside("1-1.4.1"));
}

TEST_F(FlappingTest, APortThatWasQuietIsServedThoughAHubOnItsWayIsPutAside) {
  appear(1, "1-1.1");
  now_ += 30s;
  for (int round = 0; round < 4; ++round)
    for (const char* const port : {"1-1.2", "1-1.3", "1-1.4", "1-1.5", "1-1.6"}) appear(1, port);
  EXPECT_EQ(hubs_put_aside_, Ports{"1-1"});
  EXPECT_FALSE(is_aside("1-1.1"));
  EXPECT_TRUE(is_aside("1-1.2"));
}

TEST_F(FlappingTest, EachPortOfAHubThatIsPutAsideIsTakenBackByItsOwnQuiet) {
  dock(5, 10);
  for (int i = 0; i < 10; ++i) {
    appear(1, "1-1.5");
    const auto quiet = flapping_.take_back(now_);
    EXPECT_EQ(quiet.hubs, Ports{});
    EXPECT_EQ(quiet.behind_hubs, i == 2) << "after 50 s, of which 30 were quiet, they are taken back at once";
    EXPECT_EQ(is_aside("1-1.1"), i < 2);
    EXPECT_TRUE(is_aside("1-1.5")) << "one replug every 25 s keeps it so, and no other port";
    EXPECT_EQ(flapping_.next(), i < 2 ? kStart + 30s : now_ + 30s);
    now_ += 25s;
  }
  EXPECT_EQ(flapping_.take_back(now_ += 5s).hubs, Ports{"1-1"});
}

TEST_F(FlappingTest, WhatComesToAQuietPortOfAHubThatIsPutAsideIsServedWhenItHasBeenQuietAgain) {
  dock(5, 10);
  now_ += 29s;
  appear(1, "1-1.9");
  EXPECT_TRUE(is_aside("1-1.9"));
  flapping_.take_back(now_ + 29s);
  EXPECT_TRUE(is_aside("1-1.9"));
  flapping_.take_back(now_ + 30s);
  EXPECT_FALSE(is_aside("1-1.9"));
}

// Room.

TEST_F(FlappingTest, APortOfTheHostIsWatchedThoughPortsBehindAnotherTookAllRoom) {
  for (std::size_t i = 0; i < kMaxDevices; ++i) appear(1, "2-1." + std::to_string(i));
  appear(12, "1-1.1");
  EXPECT_FALSE(is_aside("1-1.1")) << "any of these may be a reconnect";
  appear(1, "1-1.1");
  EXPECT_EQ(hubs_put_aside_.back(), "1-1");
}

TEST_F(FlappingTest, NoMorePortsAreWatchedThanAHostCanHaveAndQuietOnesMakeRoom) {
  for (std::size_t i = 0; i < kMaxDevices + 1024; ++i) appear(1, "1-" + std::to_string(i));
  EXPECT_EQ(appear(100, "2-1"), 0) << "no room for one more";
  now_ += 60s;
  EXPECT_EQ(appear(5, "2-1"), 1) << "the others are forgotten";
}

TEST_F(FlappingTest, WhatIsPutAsideIsNotForgottenForLackOfRoom) {
  appear(5);
  for (std::size_t i = 1; i < kMaxDevices + 1024; ++i) appear(1, "2-" + std::to_string(i));
  now_ += 60s;
  appear(5, "3-1");
  EXPECT_TRUE(is_aside("3-1"));
  EXPECT_EQ(take_back(now_), Ports{"1-1"});
}

TEST_F(FlappingTest, NorAreThePortsOfAHubThatIs) {
  dock(5, 10);
  for (std::size_t i = 0; i < kMaxDevices + 1024; ++i) appear(1, "2-" + std::to_string(i));
  now_ += 60s;
  appear(1, "3-1");
  EXPECT_EQ(flapping_.take_back(now_).hubs, Ports{"1-1"});
}

}  // namespace
}  // namespace whawty
