// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the host uses, does not authorize, or takes back.
#include <algorithm>

#include "tests/matcher/world.h"

namespace whawty {
namespace {

class HostTest : public WorldTest {};

TEST_F(HostTest, WhatItUsesStaysWithItSaidOnceAndIsAttachedWhenItIsFree) {
  begin({used(webcam(), {{HostUseKind::kMounted, "sdb1"}, {HostUseKind::kSwap, "sdb\n2"}})},
        "a: bus: 9 | bus: 1", "interval: 1s");
  pass(10s);
  EXPECT_EQ(warnings("001/005 046d:0825 serial=3187B60 port=1-1 stays with the host: sdb1 is mounted, "
                     "\"sdb\\x0a2\" is swap; machine a wants it by a[1]; to allow it, say "
                     "allow-host-device: true in that rule"),
            1U);
  EXPECT_EQ(debugs("  the host: sdb1 is mounted"), 1U);
  plug(mounted(webcam()));
  EXPECT_EQ(warnings("stays with the host: sdb1 is mounted; machine a"), 1U);
  plug(used(webcam(), {{HostUseKind::kSettling, "sdb1"}}));
  pass(10s);
  EXPECT_EQ(warnings(), 2U) << "what settles is not said";
  EXPECT_EQ(calls, Calls{});
  plug(webcam());
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
  plug(used(webcam(), {{HostUseKind::kDefaultRoute, "usb0"}}));
  pass(10s);
  EXPECT_EQ(calls, Calls{"attach 1/5 a"}) << "what a guest has stays there";
  EXPECT_EQ(warnings(), 2U);
}

TEST_F(HostTest, AReloadThatAllowsADeviceOfTheHostAttachesIt) {
  begin({keyboard(webcam())});
  EXPECT_EQ(warnings("input5 is the only keyboard of the local console"), 1U);
  EXPECT_EQ(debugs("  the host: input5 is a keyboard of the local console"), 1U);
  configure("a: vendor-id: 0x046d, allow-host-device: true");
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
}

TEST_F(HostTest, WhatIsNotAuthorizedStaysWithItSaidOnceAndIsServedAtOnceWhenItIs) {
  begin({not_authorized(webcam())}, "a: bus: 9 | bus: 1", "interval: 1s");
  pass(10s);
  EXPECT_EQ(calls, Calls{});
  EXPECT_EQ(warnings("001/005 046d:0825 serial=3187B60 port=1-1 stays with the host: it is not authorized; "
                     "machine a wants it by a[1]"),
            1U);
  EXPECT_EQ(warnings("allow-host-device"), 0U) << "that would not help";
  EXPECT_EQ(debugs("  the host: has not authorized it"), 1U);
  plug(webcam());
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
  plug(not_authorized(webcam()));
  EXPECT_EQ(calls, (Calls{"attach 1/5 a", "detach 1/5 a"}));
  EXPECT_EQ(infos("from a: the host does not authorize it"), 1U);
}

const Device kTaken = driven(webcam());

// The webcam was attached by this daemon to a, and QEMU has it.
class TakenBackByTheHostTest : public WorldTest {
 protected:
  TakenBackByTheHostTest() {
    a.marked = true;
    begin({kTaken});
    plug(webcam());
    EXPECT_EQ(calls, Calls{"attach 1/5 a"});
    calls.clear();
  }

  // A second passes, and the scanner reads all devices again, if it is asked to.
  void pass_a_moment(const Device& device, Clock::duration moment = 1s) {
    const int before = rescans;
    pass(moment);
    if (rescans > before) snapshot({device});
  }
};

TEST_F(TakenBackByTheHostTest, WhatADriverOfTheHostHasIsGivenAnewAfterASecond) {
  const Device taken = driven(webcam(), "usb\nhid");
  plug(taken);
  pass_a_moment(taken, 999ms);
  EXPECT_EQ(calls, Calls{});
  pass_a_moment(taken, 1ms);
  EXPECT_EQ(calls, (Calls{"detach 1/5 a", "attach 1/5 a"}));
  EXPECT_EQ(infos("from a: the host's driver had taken it back (\"usb\\x0ahid\")"), 1U);
  plug(webcam());
  pass_a_moment(webcam(), 1min);
  EXPECT_EQ(calls.size(), 2U);
}

// Right after an attach, or while a guest sets a device up, the host's driver may have it for a moment.
TEST_F(TakenBackByTheHostTest, WhatADriverOfTheHostHasForAMomentIsLeftAlone) {
  for (int i = 0; i < 10; ++i) {
    plug(kTaken);
    pass_a_moment(kTaken, 900ms);
    plug(webcam());
    pass_a_moment(webcam(), 900ms);
  }
  EXPECT_EQ(calls, Calls{});
  EXPECT_EQ(rescans, 0);
}

// An event of udev may be late, so that the record is older than the attach: it is read again before it
// counts.
TEST_F(TakenBackByTheHostTest, ARecordThatIsOldTakesNothingFromAGuest) {
  plug(kTaken);
  pass(1s);
  EXPECT_EQ(rescans, 1);
  pass(100ms);
  EXPECT_EQ(rescans, 1) << "it is asked once";
  say_unchanged();  // an answer to something else
  snapshot({webcam()});
  pass(1min);
  EXPECT_EQ(calls, Calls{});
}

TEST_F(HostTest, WhatItHasTakenBackIsGivenAnewAfterARestartOfTheDaemonToo) {
  a.hostdevs = {hostdev_of(webcam())};
  a.marked = true;
  begin({kTaken});
  pass(1s);
  snapshot({kTaken});
  EXPECT_EQ(calls, (Calls{"detach 1/5 a", "attach 1/5 a"}));
}

TEST_F(TakenBackByTheHostTest, WhatIsTakenBackAllTheTimeIsPutAside) {
  for (int i = 0; i < 20; ++i) {
    plug(kTaken);
    pass_a_moment(kTaken);
    plug(webcam());
  }
  ASSERT_EQ(std::count(calls.begin(), calls.end(), "attach 1/5 a"), 10);
  EXPECT_EQ(calls.back(), "detach 1/5 a");
  EXPECT_EQ(warnings("it is put aside until its port is quiet for 30 s"), 1U);
}

// QEMU may not get an interface from the host's driver at all: that must not take the device from its guest
// for ever.
TEST_F(TakenBackByTheHostTest, WhatTheHostsDriverKeepsIsGivenAnewAFewTimesOnly) {
  plug(kTaken);
  for (int i = 0; i < 600; ++i) pass_a_moment(kTaken, 500ms);
  EXPECT_EQ(calls.size(), 2U * 3);
  EXPECT_EQ(a.hostdevs.size(), 1U);
  EXPECT_EQ(warnings("is a guest's, but the host's driver usbhid keeps it"), 1U);
}

}  // namespace
}  // namespace whawty
