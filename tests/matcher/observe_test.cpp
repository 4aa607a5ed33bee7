// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A daemon that observes says what it would do, and does none of it.
#include "tests/matcher/world.h"

namespace whawty {
namespace {

class ObserveTest : public testing::Test, public World {
 protected:
  ObserveTest() : World(true) {}
  ~ObserveTest() override { EXPECT_EQ(calls, Calls{}); }

  std::size_t would(const std::string& what) const { return infos("WOULD " + what); }
};

const char kAttach[] = "attach 001/005 046d:0825 serial=3187B60 port=1-1 to a by a[0]";

TEST_F(ObserveTest, AnAttachIsSaidOnce) {
  begin({}, kWebcamToA, "interval: 1s");
  plug(webcam());
  pass(10min);
  event("a");
  EXPECT_EQ(would(kAttach), 1U);
  EXPECT_EQ(would(""), 1U);
  EXPECT_GE(lists, 500) << "all else goes on";
  EXPECT_GE(checks, 1);
}

TEST_F(ObserveTest, ADetachIsSaidOnceWithItsReason) {
  a.hostdevs = {hostdev_of(scale()), {1, 9, 0x1234, 0x0001}};
  begin({scale()}, kWebcamToA, "interval: 1s");
  pass(1min);
  EXPECT_EQ(would("detach 002/007 0922:8003 port=2-1 from a: no rule gives it the device"), 1U);
  EXPECT_EQ(would("detach 001/009 1234:0001 from a: it left the host"), 1U);
  EXPECT_EQ(would(""), 2U);
}

TEST_F(ObserveTest, NoneIsLeftOut) {
  for (std::uint16_t number = 10; number < 20; ++number) a.hostdevs.push_back({1, number, 0x1234, 0x0001});
  begin({scale()}, kWebcamToA);
  EXPECT_EQ(would("detach"), 10U);
}

TEST_F(ObserveTest, AMoveIsSaidWithBothItsSteps) {
  add("b");
  a.hostdevs = {hostdev_of(webcam())};
  begin({webcam()}, "b: bus: 1; a: bus: 9");
  EXPECT_EQ(would("detach 001/005"), 1U);
  EXPECT_EQ(would("attach 001/005 046d:0825 serial=3187B60 port=1-1 to b by b[0]"), 1U);
}

TEST_F(ObserveTest, EachPlugAndEachReloadSaysItAnew) {
  begin({webcam()});
  unplug("1-1");
  plug(webcam(6));
  EXPECT_EQ(would("attach 001/005"), 1U);
  EXPECT_EQ(would("attach 001/006"), 1U);
  configure(kWebcamToA);
  EXPECT_EQ(would("attach 001/006"), 2U);
}

TEST_F(ObserveTest, AGuestThatIsBusyForAWhileIsNoReasonToSayItAgain) {
  begin({webcam()}, kWebcamToA, "interval: 1s");
  a.not_described = 38;
  a.why_not = "busy";
  event("a");
  pass(10s);
  a.not_described = 0;
  event("a");
  pass(10s);
  EXPECT_EQ(would(""), 1U);
  switch_off("a");
  start("a");
  EXPECT_EQ(would(kAttach), 2U);
}

TEST_F(ObserveTest, WhatAPlanFindsIsSaidAsEver) {
  begin({webcam(), mounted(scale()), twin_of_webcam()}, "a: device: 5 | bus: 2; b: device: 5");
  EXPECT_EQ(warnings("machine b also wants 001/005"), 1U);
  EXPECT_EQ(warnings("stays with the host"), 1U);
  EXPECT_EQ(infos("of 3 USB devices, no rule wants 1"), 1U);
}

TEST_F(ObserveTest, OneThatReconnectsAllTheTimeDoesNotFillTheLog) {
  begin({}, kWebcamToA, "interval: 1h, max-reconnects: 0");
  for (std::uint16_t number = 1; number <= 59; ++number) {
    plug(webcam(number));
    pass(1s);
  }
  EXPECT_EQ(would(""), 3U);
}

// A hostdev that the daemon attached, and that a driver of the host has taken back.
TEST_F(ObserveTest, NothingIsGivenAnew) {
  a.marked = true;
  a.hostdevs = {hostdev_of(webcam())};
  begin({driven(webcam())}, kWebcamToA, "interval: 1s");
  pass(1min);
  EXPECT_EQ(would(""), 0U);
  EXPECT_EQ(rescans, 0);
}

}  // namespace
}  // namespace whawty
