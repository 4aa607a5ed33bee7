// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Guests that libvirt does not describe, that do not answer, or whose XML is odd.
#include "tests/matcher/world.h"

namespace whawty {
namespace {

class GuestsTest : public WorldTest {
 protected:
  // As libvirt 11 says it, which describes a guest only when nothing else is done with it.
  void be_busy() {
    a.not_described = 68;
    a.why_not =
        "Timed out during operation: cannot acquire state change lock (held by "
        "monitor=remoteDispatchDomainAttachDeviceFlags)";
  }
  void be_free() { a.not_described = 0; }
};

TEST_F(GuestsTest, AGuestThatIsBusyKeepsWhatItHadAndIsNotComplainedOf) {
  add("b");
  configure("b: bus: 1; a: vendor-id: 0x046d", "interval: 5s");
  a.hostdevs = {hostdev_of(webcam())};
  event("a");
  be_busy();
  event("a");
  snapshot({webcam()});
  pass(100s);
  EXPECT_EQ(calls, Calls{}) << "the webcam is still a's";
  EXPECT_EQ(warnings(), warnings("machine b also wants"));
  EXPECT_EQ(errors(), 0U);
  be_free();
  a.hostdevs.clear();
  event("a");
  EXPECT_EQ(calls, Calls{"attach 1/5 b"}) << "at once, when something happens to it";
}

TEST_F(GuestsTest, AGuestThatIsBusyIsDescribedAgainWithGrowingPauses) {
  a.not_described = 9;
  a.why_not =
      "operation failed: cannot acquire state change lock (held by monitor=remoteDispatchDomainSave) due to "
      "max_queued limit";
  begin({webcam()});
  pass(10s);
  EXPECT_EQ(descriptions, 4) << "after 0, 1, 3 and 7 s";
  pass(80s);
  EXPECT_EQ(descriptions, 7) << "after 15, 31 and 61 s";
  be_free();
  pass(5s);
  EXPECT_EQ(calls, Calls{"attach 1/5 a"}) << "without an event";
}

TEST_F(GuestsTest, AGuestThatIsBusyForLongIsSpokenOfOnce) {
  be_busy();
  begin({webcam()});
  for (std::size_t i = 1; i <= 2; ++i) {
    pass(119s);
    EXPECT_EQ(warnings("machine a is busy"), i - 1);
    pass(10min);
    EXPECT_EQ(warnings("machine a is busy"), i);
    be_free();
    pass(30s);
    be_busy();
    event("a");
  }
}

TEST_F(GuestsTest, ADescriptionThatHangsIsComplainedOfOnlyAfterLong) {
  begin({});
  event_unanswered("a");
  step();
  stall("a");
  pass_unanswered(119s);
  EXPECT_EQ(warnings(), 0U);
  pass_unanswered(1s);
  EXPECT_EQ(warnings("machine a is busy"), 1U);
}

TEST_F(GuestsTest, AGuestThatIsStalledIsLeftAloneAndDelaysNoOther) {
  begin({}, "a: vendor-id: 0x046d; b: vendor-id: 0x0922");
  plug_unanswered(webcam());
  requests.clear();
  stall("a");
  plug(scale());
  EXPECT_EQ(calls, Calls{"attach 2/7 b"});
  EXPECT_EQ(warnings("machine a does not answer"), 1U);
}

TEST_F(GuestsTest, AGuestIsServedAgainWhenTheCallThatHungReturns) {
  begin({});
  a.error = "Timed out during operation: cannot acquire state change lock";
  plug_unanswered(webcam());
  stall("a");
  step();
  EXPECT_EQ(requests.size(), 1U);
  answer();
  a.error.clear();
  pass(1s);
  EXPECT_EQ(calls, Calls(2, "attach 1/5 a"));
}

TEST_F(GuestsTest, AMalformedDomainHarmsNoOther) {
  a.odd = "<not well-formed";
  begin({webcam()}, "a: bus: 9; b: vendor-id: 0x046d", "interval: 1s");
  EXPECT_EQ(calls, Calls{"attach 1/5 b"});
  pass(10s);
  EXPECT_EQ(warnings("machine a: "), 1U) << "said once";
}

TEST_F(GuestsTest, AForeignHostdevWithoutNumbersHarmsNobody) {
  a.odd = "<hostdev mode='subsystem' type='usb'><source/></hostdev>";
  begin({webcam()}, kWebcamToA, "interval: 1s");
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
  pass(10s);
  EXPECT_EQ(warnings(), 1U);
}

}  // namespace
}  // namespace whawty
