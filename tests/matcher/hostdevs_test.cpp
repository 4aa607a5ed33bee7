// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether a hostdev of a guest still is the device that has its numbers.
#include <algorithm>

#include "tests/matcher/world.h"

namespace whawty {
namespace {

const Calls kAttachedAnew{"attach 1/5 a", "detach 1/5 a", "attach 1/5 a"};

class HostdevsTest : public WorldTest {};

TEST_F(HostdevsTest, ADeviceThatConnectsAgainWithTheSameNumbersIsAttachedAnew) {
  begin({connected_at("100", webcam())});
  plug(connected_at("200", webcam()));
  EXPECT_EQ(calls, kAttachedAnew);
  pass(60s);
  EXPECT_EQ(calls, kAttachedAnew);
  EXPECT_EQ(infos("from a: it left the host"), 1U);
}

TEST_F(HostdevsTest, ADeviceThatConnectsAgainWhileItIsAttachedIsAttachedAnew) {
  begin({});
  plug_unanswered(connected_at("100", webcam()));
  plug(connected_at("200", webcam()));
  EXPECT_EQ(calls, kAttachedAnew);
}

TEST_F(HostdevsTest, AHostdevWhoseDeviceLeftIsNotItsTwins) {
  add("b");
  begin({connected_at("100", webcam())},
        "b: udev: {env: [{name: ID_SERIAL_SHORT, equals: TWIN}]}; a: vendor-id: 0x046d");
  reconnect("1-1", connected_at("200", with_serial(webcam(), "TWIN")));
  EXPECT_EQ(calls, (Calls{"attach 1/5 a", "detach 1/5 a", "attach 1/5 b"}))
      << "a's rule fits the twin, too, but a never had it";
}

TEST_F(HostdevsTest, OneThatIsMissingIsNotTakenForTheDeviceThatComesAndGoesWithItsNumbers) {
  a.odd = kMissingWebcam;
  a.marked = true;
  begin({}, kWebcamToA, "interval: 1h, foreign-devices: keep");
  plug(webcam());
  unplug("1-1");
  plug(webcam());
  EXPECT_EQ(calls, kAttachedAnew);
  pass(60s);
  EXPECT_EQ(calls, kAttachedAnew);
}

TEST_F(HostdevsTest, OneThatIsMissingIsNotTakenForADeviceThatLeftBeforeTheGuestHadOne) {
  a.odd = kMissingWebcam;
  a.marked = true;
  begin({webcam()}, "a: udev: {tags: [t]}", "interval: 1h, foreign-devices: keep");
  unplug("1-1");
  plug(tagged(webcam(), {"t"}));
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
}

TEST_F(HostdevsTest, OneThatWasAttachedWithoutItsDeviceIsDetachedWithOneAlarm) {
  a.hostdevs = {hostdev_of(webcam())};
  a.marked = a.missing = true;
  configure(kWebcamToA);
  a.error = "busy";
  snapshot({webcam()});
  pass(10s);
  EXPECT_EQ(errors("ALARM: libvirt gave machine a the hostdev of 001/005 046d:0825"), 1U);
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "attach 1/5 a"), 0) << "QEMU could take it";
  a.error.clear();
  a.missing = false;  // of what is attached from now on
  calls.clear();
  pass(60s);
  EXPECT_EQ(calls, (Calls{"detach 1/5 a", "attach 1/5 a"}));
}

TEST_F(HostdevsTest, OneThatIsKeptThoughItsDeviceLeftIsSpokenOfOnce) {
  a.hostdevs = {hostdev_of(webcam())};
  begin({webcam()}, "a: vendor-id: 0x0922", "interval: 5s, foreign-devices: keep");
  EXPECT_EQ(warnings(), 0U);
  for (std::size_t times = 1; times <= 2; ++times) {
    unplug("1-1");
    pass(60s);
    EXPECT_EQ(
        warnings("machine a keeps the hostdev of 001/005 046d:0825, whose device left the host, or QEMU"),
        times);
    a.hostdevs.clear();
    event("a");
    plug(webcam());
    a.hostdevs = {hostdev_of(webcam())};
    event("a");
  }
}

TEST_F(HostdevsTest, AGuestThatWasRestoredIsGivenItsDevicesAnew) {
  a.hostdevs = {hostdev_of(webcam())};
  add("other", true, {hostdev_of(scale())});
  begin({webcam(), scale()});
  EXPECT_EQ(calls, Calls{});
  event_unanswered("other", {.let_go = true});
  event("a", {.let_go = true});
  EXPECT_EQ(calls, (Calls{"detach 1/5 a", "attach 1/5 a"})) << "and one that is not configured not";
  event("a");
  EXPECT_EQ(calls.size(), 2U);
}

TEST_F(HostdevsTest, AGuestThatEndedAsItWasRestoredAndThenStartsKeepsWhatItStartsWith) {
  a.running = false;
  begin({webcam()});
  event("a", {.let_go = true});
  a.hostdevs = {hostdev_of(webcam())};
  start("a");
  EXPECT_EQ(calls, Calls{});
}

TEST_F(HostdevsTest, AGuestThatIsRestoredWhileItsEndIsAskedAboutIsGivenItsDevicesAnew) {
  a.hostdevs = {hostdev_of(webcam())};
  begin({webcam()});
  a.running = false;
  event_unanswered("a");
  step();
  event_unanswered("a", {.let_go = true});
  answer();  // that it is off
  a.running = true;
  settle();
  EXPECT_EQ(calls, (Calls{"detach 1/5 a", "attach 1/5 a"}));
}

}  // namespace
}  // namespace whawty
