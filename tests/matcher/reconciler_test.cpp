// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// When the guests are looked at, and what is done for them.
#include "matcher/reconciler.h"

#include "tests/matcher/world.h"

namespace whawty {
namespace {

class ReconcilerTest : public WorldTest {};

TEST_F(ReconcilerTest, APluggedDeviceIsAttachedAtOnceAndDetachedWhenItLeaves) {
  begin({});
  plug(webcam());
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
  EXPECT_EQ(infos("attached 001/005 046d:0825 serial=3187B60 port=1-1 to a by a[0] in 0 ms"), 1U);
  unplug("1-1");
  EXPECT_EQ(calls, (Calls{"attach 1/5 a", "detach 1/5 a"}));
  EXPECT_EQ(infos("detached 001/005 046d:0825 from a: it left the host"), 1U);
}

TEST_F(ReconcilerTest, WhatWasThereBeforeIsServedOnceEverythingIsKnown) {
  snapshot({webcam()});
  EXPECT_TRUE(requests.empty()) << "nothing is asked before there is a configuration";
  configure(kWebcamToA);
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
}

TEST_F(ReconcilerTest, NothingIsDetachedBeforeTheFirstSnapshotHasEnded) {
  a.hostdevs = {hostdev_of(webcam())};
  configure(kWebcamToA);
  EXPECT_EQ(calls, Calls{});
  snapshot({webcam()});
  EXPECT_EQ(calls, Calls{});
}

TEST_F(ReconcilerTest, AGuestThatStartsIsServedAtOnce) {
  a.running = false;
  begin({webcam()});
  EXPECT_EQ(calls, Calls{});
  start("a");
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
}

TEST_F(ReconcilerTest, AGuestThatIsCreatedLaterIsServedAtOnce) {
  configure("b: bus: 1");
  snapshot({webcam()});
  add("b");
  event("b");
  EXPECT_EQ(calls, Calls{"attach 1/5 b"});
}

TEST_F(ReconcilerTest, AHostdevThatWasTakenAwayComesBackByTheEvent) {
  begin({webcam()});
  a.hostdevs.clear();
  event("a");
  EXPECT_EQ(calls, Calls(2, "attach 1/5 a"));
}

TEST_F(ReconcilerTest, ADeviceThatDoesNotAnswerIsAttachedWhenItDoes) {
  begin({silent(webcam())});
  EXPECT_EQ(calls, Calls{});
  plug(webcam());
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
}

TEST_F(ReconcilerTest, EachIntervalIsCheckedWhetherAllIsWhatItWas) {
  begin({webcam()}, kWebcamToA, "interval: 5s");
  EXPECT_EQ(checks, 0) << "the first snapshot comes unasked";
  pass(4900ms);
  EXPECT_EQ(checks, 0);
  pass(200ms);
  EXPECT_EQ(checks, 1);
  pass(5s);
  EXPECT_EQ(checks, 1) << "the answer has not come";
  snapshot({webcam()});
  pass(5s);
  EXPECT_EQ(checks, 2);
  say_unchanged();
  pass(5s);
  EXPECT_EQ(checks, 3);
  EXPECT_EQ(rescans, 0);
}

TEST_F(ReconcilerTest, EachIntervalTheDomainsAreListedAndNoneIsDescribedOfWhichNothingWasHeard) {
  begin({webcam()}, kWebcamToA, "interval: 5s");
  const int before = descriptions;
  const int lists_before = lists;
  pass(1min);
  EXPECT_EQ(lists, lists_before + 12);
  EXPECT_EQ(descriptions, before);
  event("a");
  EXPECT_EQ(descriptions, before + 1);
}

TEST_F(ReconcilerTest, WhatIsTakenFromAGuestByHandIsGivenAgainAtOnce) {
  begin({webcam()});
  a.hostdevs.clear();
  event("a");
  EXPECT_EQ(calls, Calls(2, "attach 1/5 a"));
}

TEST_F(ReconcilerTest, ALostEventOfAHostdevIsMadeUpForWithinFiveMinutesAndAnInterval) {
  begin({webcam()}, kWebcamToA, "interval: 5s");
  a.hostdevs.clear();  // and no event
  pass(290s);
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
  pass(15s);
  EXPECT_EQ(calls, Calls(2, "attach 1/5 a"));
}

TEST_F(ReconcilerTest, ALostEventOfAHostdevIsMadeUpForByAReload) {
  begin({webcam()});
  a.hostdevs.clear();
  configure(kWebcamToA);
  EXPECT_EQ(calls, Calls(2, "attach 1/5 a"));
}

TEST_F(ReconcilerTest, LostEventsOfAStartAreMadeUpForAtTheNextInterval) {
  add("b", false);
  begin({webcam()}, "a: vendor-id: 0x046d; b: vendor-id: 0x046d", "interval: 5s");
  a.hostdevs.clear();
  ++a.run;  // it was stopped and started
  pass(5s);
  EXPECT_EQ(calls, Calls(2, "attach 1/5 a"));
  a.running = false;
  a.hostdevs.clear();
  domains["b"].running = true;
  pass(5s);
  EXPECT_EQ(calls.back(), "attach 1/5 b");
}

TEST_F(ReconcilerTest, AnIntervalOfNothingIsATenthOfASecond) {
  begin({}, "", "interval: 1ns");
  std::size_t rounds = 0;
  for (const auto end = now + 1s; now < end; now += 1ms) {
    step();
    rounds += requests.size();
    settle();
  }
  EXPECT_GE(rounds, 9U);
  EXPECT_LE(rounds, 11U);
}

// The longest that Go knows, on a clock that has run for a while.
TEST_F(ReconcilerTest, ALongIntervalIsADay) {
  now += 24h * 365 * 100;
  begin({}, "", "interval: 2562047h");
  const int before = checks;
  pass(23h);
  EXPECT_EQ(checks, before);
  pass(1h);
  EXPECT_EQ(checks, before + 1);
}

TEST_F(ReconcilerTest, WhatLeavesAFullBusGoesBeforeWhatComes) {
  a.hostdevs = {hostdev_of(scale())};
  begin({webcam(), scale()});
  EXPECT_EQ(calls, (Calls{"detach 2/7 a", "attach 1/5 a"}));
}

TEST_F(ReconcilerTest, AMoveByReloadIsDetachedFirst) {
  add("b");
  begin({webcam()});
  configure("b: vendor-id: 0x046d; a: bus: 9");
  EXPECT_EQ(calls, (Calls{"attach 1/5 a", "detach 1/5 a", "attach 1/5 b"}));
}

TEST_F(ReconcilerTest, WhatWasJustAttachedIsNotGivenToAnotherByAReload) {
  add("b");
  begin({});
  plug_unanswered(webcam());
  answer();  // the attach; a is not yet described again
  configure("b: vendor-id: 0x046d; a: bus: 9");
  EXPECT_EQ(calls, (Calls{"attach 1/5 a", "detach 1/5 a", "attach 1/5 b"}));
}

TEST_F(ReconcilerTest, AConflictIsSaidOnceAndEndsWhenTheOwnerStops) {
  begin({webcam()}, "a: bus: 1; b: bus: 1", "interval: 1s");
  pass(10s);
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
  EXPECT_EQ(
      warnings("machine b also wants 001/005 046d:0825 serial=3187B60 port=1-1 by b[0]: it stays with a"),
      1U);
  switch_off("a");
  EXPECT_EQ(calls, (Calls{"attach 1/5 a", "attach 1/5 b"}));
}

TEST_F(ReconcilerTest, ADeviceThatIsNoLongerWhatWasMeantIsLookedAtAgain) {
  begin({});
  plug_unanswered(webcam());
  ASSERT_EQ(requests.size(), 1U);
  end_next(Outcome::kOtherDevice, 0, "the device is no longer the one that was meant");
  EXPECT_EQ(rescans, 1);
}

TEST_F(ReconcilerTest, ItIsAlsoWhileACheckIsNotAnswered) {
  begin({});
  pass(1h);
  EXPECT_EQ(checks, 1);
  plug_unanswered(webcam());
  end_next(Outcome::kOtherDevice, 0, "the device is no longer the one that was meant");
  EXPECT_EQ(rescans, 1);
  say_unchanged();
  snapshot({webcam()});
  pass(1h);
  EXPECT_EQ(checks, 2);
}

TEST_F(ReconcilerTest, TheStatusSaysWhatIs) {
  add("other", true, {hostdev_of(scale())});
  configure(kWebcamToA);
  ASSERT_FALSE(statuses.empty());
  EXPECT_FALSE(statuses.front().libvirt_connected);
  snapshot({webcam(), scale()});
  EXPECT_EQ(statuses.back(), (Status{true, 1, 1, 2, 1}));
  const std::size_t before = statuses.size();
  event("a");
  EXPECT_EQ(statuses.size(), before) << "nothing is new";
}

TEST_F(ReconcilerTest, TheStatusDoesNotCountWhatIsMissing) {
  a.odd = kMissingWebcam;
  begin({scale()}, kWebcamToA, "interval: 1h, foreign-devices: keep");
  EXPECT_EQ(statuses.back(), (Status{true, 1, 1, 1, 0}));
}

}  // namespace
}  // namespace whawty
