// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What is tried again, when, and what is said of it.
#include "common/text.h"
#include "tests/matcher/world.h"

namespace whawty {
namespace {

class RetriesTest : public WorldTest {};

TEST_F(RetriesTest, ALastingFailureIsTriedSlowerAndSlowerAndSaidOnce) {
  a.error = "internal error: No free USB ports";
  begin({webcam()});
  pass(60s);
  EXPECT_LE(calls.size(), 12U);
  EXPECT_GE(calls.size(), 8U);
  EXPECT_EQ(
      errors("cannot attach 001/005 046d:0825 serial=3187B60 port=1-1 to a by a[0]: libvirt says: internal "
             "error: No free USB ports: every USB port of the guest is taken: give the guest a controller "
             "with more ports, or another one: trying again"),
      1U);
  EXPECT_EQ(errors(), 1U);
  a.error = "internal error: something else";
  pass(60s);
  EXPECT_EQ(errors(), 1U) << "though the reason is another one now";
  a.error.clear();
  event("a");
  EXPECT_EQ(infos("attached"), 1U) << "at once when something changed";
  EXPECT_EQ(infos(concat(" to a by a[0] in 0 ms, after ", calls.size(), " attempts in 120 s")), 1U);
}

TEST_F(RetriesTest, OneFailureAtThePlugIsMendedSilently) {
  begin({});
  a.error = "failed to find host usb device 1:5";
  plug(webcam());
  a.error.clear();
  pass(100ms);
  EXPECT_EQ(calls, Calls(2, "attach 1/5 a"));
  EXPECT_EQ(errors(), 0U);
  EXPECT_EQ(infos("attached"), 1U);
}

TEST_F(RetriesTest, AnEventWhileAnAttachFailsLeadsToAnotherSoon) {
  a.error = "failed to find host usb device 1:5";
  begin({webcam()});
  pass(5s);  // the pauses have become long
  now = next_step();
  step();
  ASSERT_EQ(count_of_changes(), 1U);
  plug(tagged(webcam(), {"bound"}));
  a.error.clear();
  pass(100ms);
  EXPECT_EQ(a.hostdevs.size(), 1U);
}

TEST_F(RetriesTest, AnEventBeforeAnAttachThatFailsLeadsToOneMoreOnly) {
  a.error = "failed to find host usb device 1:5";
  begin({webcam()});
  pass(5s);
  const std::size_t before = calls.size();
  plug(tagged(webcam(), {"bound"}));
  pass(1s);
  EXPECT_EQ(calls.size(), before + 1);
}

TEST_F(RetriesTest, AReloadLeadsToAnotherAtOnce) {
  a.error = "no";
  begin({webcam()});
  pass(60s);  // the pauses have become long
  a.error.clear();
  configure(kWebcamToA);
  EXPECT_EQ(infos("attached"), 1U);
}

// Each attach that fails makes the host's driver come and go: no reason to try the next one at once.
TEST_F(RetriesTest, AChangeOfTheDriverAloneHurriesNoAttempt) {
  a.error = "no";
  begin({webcam()});
  for (int i = 0; i < 100; ++i) {
    plug(driven(webcam()));
    pass(50ms);
    plug(webcam());
    pass(50ms);
  }
  EXPECT_LT(calls.size(), 10U) << "of 200 changes in ten seconds";
}

TEST_F(RetriesTest, ARecordThatSaysNothingNewHurriesNoAttempt) {
  a.error = "no";
  begin({webcam()}, kWebcamToA, "interval: 5s");
  pass(60s);
  const std::size_t before = calls.size();
  for (int i = 0; i < 4; ++i) {
    pass(5s);
    snapshot({webcam()});
  }
  EXPECT_LE(calls.size(), before + 1);
}

TEST_F(RetriesTest, AnAttachWithoutEffectIsRepeatedSoon) {
  begin({});
  a.in_vain = true;
  plug(webcam());
  pass(1s);
  EXPECT_GE(calls.size(), 3U);
  EXPECT_EQ(warnings("but the live XML of a does not show it"), 1U);
}

TEST_F(RetriesTest, ADetachThatTheGuestDelaysIsNotRepeatedAtOnce) {
  begin({webcam()});
  a.in_vain = true;
  unplug("1-1");
  pass(4s);
  EXPECT_EQ(calls, (Calls{"attach 1/5 a", "detach 1/5 a"}));
  pass(2s);
  EXPECT_EQ(calls.size(), 3U);
  EXPECT_EQ(warnings("but the live XML of a does not show it"), 1U);
}

// One refusal, one description, one request: the actuator has each wait before it refuses it.
TEST_F(RetriesTest, AnAttachThatFoundNoRoomIsAskedForAgain) {
  begin({});
  plug_unanswered(webcam());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(requests.size(), 1U);
    end_next(Outcome::kStalled);
    step();
    ASSERT_EQ(requests.size(), 1U) << "its description";
    answer();
    step();
  }
  EXPECT_EQ(warnings(), 0U);
  settle();
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
}

}  // namespace
}  // namespace whawty
