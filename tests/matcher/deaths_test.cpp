// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Devices that a guest's QEMU dies of.
#include "tests/matcher/world.h"

namespace whawty {
namespace {

const char kPutAside[] =
    "001/005 046d:0825 serial=3187B60 port=1-1 is put aside for machine a, whose QEMU died twice within 7 s "
    "of a change of that device: until it is unplugged for 3 s and plugged again, a reload or a restart of "
    "the daemon";

class DeathsTest : public WorldTest {
 protected:
  // The guest has died twice of the webcam, and runs again.
  void die_twice() {
    begin({webcam()});
    for (std::size_t i = 1; i <= 2; ++i) {
      EXPECT_EQ(warnings(kPutAside), 0U);
      EXPECT_EQ(calls, Calls(i, "attach 1/5 a"));
      pass(1s);
      die("a");
      pass(10s);
      start("a");
    }
    calls.clear();
  }

  // QEMU dies while an attach is under way, which fails with that code; the first one that is asked for.
  void die_during_an_attach(std::int32_t code, bool death_is_told_first = false) {
    for (int i = 0; i < 10 && count_of_changes() < 1; ++i) {
      pass_unanswered(100ms);
      answer_all_but_changes();
    }
    ASSERT_EQ(count_of_changes(), 1U);
    pass_unanswered(30s);
    a.running = false;
    if (death_is_told_first) event_unanswered("a", {.died = true});
    end_next(Outcome::kFailed, code, "Unable to read from monitor: Connection reset by peer");
    if (!death_is_told_first) event_unanswered("a", {.died = true});
    settle();
    a.running = true;
    event_unanswered("a");
  }
};

TEST_F(DeathsTest, ADeviceThatAGuestDiedOfTwiceIsPutAsideAndSpokenOfOnce) {
  die_twice();
  pass(1h);
  EXPECT_EQ(calls, Calls{});
  EXPECT_EQ(warnings(kPutAside), 1U);
  EXPECT_EQ(warnings(), 1U);
}

TEST_F(DeathsTest, ItIsServedAgainWhenItIsPluggedAgain) {
  die_twice();
  reconnect("1-1", webcam(6));
  EXPECT_EQ(calls, Calls{}) << "nobody plugs that fast";
  unplug("1-1");
  pass(3s);
  plug(webcam(7));
  EXPECT_EQ(calls, Calls{"attach 1/7 a"});
}

TEST_F(DeathsTest, ItIsServedAgainAfterAReload) {
  die_twice();
  configure(kWebcamToA);
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
}

TEST_F(DeathsTest, AnotherMachineMayHaveWhatIsPutAside) {
  die_twice();
  add("b");
  configure("a: bus: 1; b: vendor-id: 0x046d");
  for (int i = 0; i < 2; ++i) {
    die("b");  // which has nothing to do with a's device
    start("b");
    pass(1s);
    die("a");
    pass(10s);
    start("a");
  }
  EXPECT_EQ(a.hostdevs, std::vector<Hostdev>{});
  EXPECT_EQ(domains["b"].hostdevs, std::vector{hostdev_of(webcam())});
}

TEST_F(DeathsTest, AGuestMayDieOfADeviceThatIsTakenFromIt) {
  begin({webcam()});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(warnings(kPutAside), 0U);
    pass(1min);
    plug(not_authorized(webcam()));
    EXPECT_EQ(calls.back(), "detach 1/5 a");
    die("a");
    start("a");
    plug(webcam());
  }
  EXPECT_EQ(warnings(kPutAside), 1U);
}

TEST_F(DeathsTest, AGuestThatIsSwitchedOffDiesOfNothing) {
  begin({webcam()});
  for (int i = 0; i < 5; ++i) {
    switch_off("a");
    start("a");
  }
  EXPECT_EQ(calls, Calls(6, "attach 1/5 a"));
}

TEST_F(DeathsTest, OfAGuestThatIsNotConfiguredNothingIsSaid) {
  begin({webcam(4)}, "b: bus: 9");
  for (std::uint16_t i = 5; i <= 7; ++i) {
    a.hostdevs = {hostdev_of(webcam(i - 1))};
    event("a");
    pass(10s);
    reconnect("1-1", webcam(i));
    die("a");
    start("a");
  }
  EXPECT_EQ(warnings(), 0U);
}

TEST_F(DeathsTest, ADeathMayBeToldAfterTheGuestWasSeenToBeOff) {
  begin({webcam(4)});
  for (std::uint16_t i = 5; i <= 6; ++i) {
    pass(10s);
    switch_off("a");
    die("a");
    reconnect("1-1", webcam(i));
    start("a");
  }
  EXPECT_EQ(warnings("port=1-1 is put aside for machine a, whose QEMU died"), 1U);
}

TEST_F(DeathsTest, WhatLibvirtRefusedForAGuestThatWasOffIsNotWhatItDiedOf) {
  begin({});
  plug_unanswered(webcam());
  for (int i = 0; i < 3; ++i) die_during_an_attach(55);
  pass(60s);
  EXPECT_EQ(a.hostdevs, std::vector{hostdev_of(webcam())});
}

// Each of these with the death told after what else happened, and before it.
class DeathIsToldTest : public DeathsTest, public testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(AfterOrBefore, DeathIsToldTest, testing::Bool());

TEST_P(DeathIsToldTest, AGuestThatDiesOfADeviceThatReconnectsIsSparedIt) {
  begin({webcam(4)});
  for (std::uint16_t i = 5; i <= 6; ++i) {
    pass(10s);
    if (GetParam()) die("a");
    reconnect("1-1", webcam(i));
    pass(1s);
    if (!GetParam()) die("a");
    start("a");
  }
  EXPECT_EQ(warnings("port=1-1 is put aside for machine a, whose QEMU died"), 1U);
}

TEST_P(DeathIsToldTest, WhatIsUnderWayWhenAGuestDiesIsWhatItDiesOf) {
  begin({}, "a: bus: 1 | bus: 2");
  plug_unanswered({webcam(), scale()});
  for (int i = 0; i < 2; ++i) die_during_an_attach(38, GetParam());
  pass(60s);
  EXPECT_EQ(a.hostdevs, std::vector{hostdev_of(scale())});
}

}  // namespace
}  // namespace whawty
