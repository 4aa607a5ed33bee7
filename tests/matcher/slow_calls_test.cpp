// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// libvirt may take seconds for an attach or a detach, as where it writes and loads an AppArmor profile for
// each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/text.h"
#include "tests/matcher/world.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr auto kSlow = 2100ms;      // an attach with AppArmor, on an emulated host
constexpr auto kVerySlow = 5000ms;  // on a busy one

// What a dock holds: ten devices, each at a port of its own.
constexpr std::uint16_t kDevices = 10;
constexpr std::uint16_t kFirst = 11, kLast = 20;
Device of_dock(std::uint16_t number) {
  return webcam(number, concat("1-1.", number));
}

class SlowCalls : public WorldTest, public testing::WithParamInterface<Clock::duration> {
 protected:
  SlowCalls() { begin({}, kWebcamToA, "interval: 5s"); }

  void plug_dock() {
    for (std::uint16_t number = kFirst; number <= kLast; ++number) plug_unanswered(of_dock(number));
  }
  void unplug(std::uint16_t number) { unplug_unanswered(of_dock(number).sysname); }
  void pass(Clock::duration duration) { pass_slowly(duration, each_); }
  void expect_no_complaint() {
    EXPECT_EQ(warnings(), 0U);
    EXPECT_EQ(errors(), 0U);
  }

  const Clock::duration each_ = GetParam();
};

INSTANTIATE_TEST_SUITE_P(Matcher, SlowCalls, testing::Values(kSlow, kVerySlow));

TEST_P(SlowCalls, ADockIsServedOneDeviceAfterTheOtherAndNothingIsComplainedOf) {
  plug_dock();
  pass(kDevices * each_ + 100ms);
  EXPECT_THAT(a.hostdevs, SizeIs(kDevices));
  EXPECT_EQ(infos(concat("to a by a[0] in ", each_ / 1ms, " ms")), kDevices)
      << "a call is counted from its beginning";
  pass(60s);
  EXPECT_THAT(calls, SizeIs(kDevices));
  expect_no_complaint();
}

TEST_P(SlowCalls, WhatLeavesIsDetachedBeforeTheRestOfADockIsAttached) {
  plug_dock();
  pass(each_ + each_ / 2);
  ASSERT_THAT(calls, ElementsAre("attach 1/11 a"));
  unplug(kFirst);
  pass(2 * each_);
  EXPECT_THAT(calls, ElementsAre("attach 1/11 a", "attach 1/12 a", "detach 1/11 a"));
  pass(kDevices * each_);
  EXPECT_THAT(a.hostdevs, SizeIs(kDevices - 1));
  expect_no_complaint();
}

// Each attach that works is an event of the guest, which may be what the one that failed needs.
TEST_P(SlowCalls, ADeviceThatCannotBeAttachedDelaysTheOthersOnce) {
  a.refused = {kFirst};
  plug_dock();
  pass(kDevices * each_ + 100ms);
  EXPECT_THAT(a.hostdevs, SizeIs(kDevices - 1));
}

TEST_P(SlowCalls, ADetachIsNotRepeatedWhileTheGuestTakesItsTime) {
  plug_dock();
  pass(kDevices * each_ + 100ms);
  calls.clear();
  a.in_vain = true;
  unplug(kFirst);
  pass(each_ + 4900ms);
  EXPECT_THAT(calls, ElementsAre("detach 1/11 a"));
  expect_no_complaint();
}

TEST_P(SlowCalls, ADockThatComesAndGoesLeavesNothingBehind) {
  plug_dock();
  pass(3 * each_);
  for (std::uint16_t number = kFirst; number <= kLast; ++number) unplug(number);
  pass(kDevices * each_);
  EXPECT_THAT(a.hostdevs, SizeIs(0));
  EXPECT_LE(calls.size(), 8U) << "four attaches at most, and as many detaches";
  expect_no_complaint();
}

// libvirt tells of a death when it has unloaded the guest's profile, which takes as long as to load one.
TEST_P(SlowCalls, ADeathThatIsToldLateIsStillTheDevices) {
  plug_unanswered(of_dock(kFirst));
  for (int deaths = 1; deaths <= 2; ++deaths) {
    pass(each_ + 100ms);
    ASSERT_THAT(a.hostdevs, SizeIs(1));
    pass(1s + each_);
    die("a");
    a.running = true;
    event_unanswered("a");
  }
  pass(60s);
  EXPECT_THAT(a.hostdevs, SizeIs(0));
  EXPECT_EQ(warnings("is put aside for machine a, whose QEMU died twice"), 1U);
}

}  // namespace
}  // namespace whawty
