// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/reconciler.h"

#include <gtest/gtest.h>

#include "common/bounds.h"
#include "protocol/violation.h"
#include "tests/matcher/world.h"

namespace whawty {
namespace {

using Calls = std::vector<std::string>;

TEST(Reconciler, APluggedDeviceIsAttachedAtOnceAndDetachedWhenItLeaves) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({});
  world.plug(webcam());
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
  EXPECT_EQ(world.count(log::Level::kInfo,
                        "attached 001/005 046d:0825 serial=3187B60 port=1-1 to a by a[0] in 0 ms"),
            1U);
  world.unplug("1-1");
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "detach 1/5 a"}));
  EXPECT_EQ(world.count(log::Level::kInfo, "detached 001/005 046d:0825 from a: it left the host"), 1U);
}

TEST(Reconciler, WhatWasThereBeforeIsServedOnceEverythingIsKnown) {
  World world;
  world.add("a");
  world.snapshot({webcam()});
  EXPECT_TRUE(world.requests.empty()) << "nothing is asked before there is a configuration";
  world.configure(kWebcamToA);
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
}

TEST(Reconciler, NothingIsDetachedBeforeTheFirstSnapshotHasEnded) {
  World world;
  world.add("a", true, {hostdev_of(webcam())});
  world.configure(kWebcamToA);
  EXPECT_TRUE(world.calls.empty());
  world.snapshot({webcam()});
  EXPECT_TRUE(world.calls.empty());
}

TEST(Reconciler, AGuestThatStartsIsServedAtOnce) {
  World world;
  world.add("a", false);
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  EXPECT_TRUE(world.calls.empty());
  world.domains["a"].running = true;
  world.event("a");
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
}

TEST(Reconciler, AGuestThatIsCreatedLaterIsServedAtOnce) {
  World world;
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  world.add("a");
  world.event("a");
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
}

TEST(Reconciler, AHostdevThatWasTakenAwayComesBackByTheEvent) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  world.domains["a"].hostdevs.clear();
  world.event("a");
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "attach 1/5 a"}));
}

TEST(Reconciler, EachIntervalEverythingIsReadAgain) {
  World world;
  world.add("a");
  world.configure("{interval: 5s, machines: {a: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({webcam()});
  EXPECT_EQ(world.rescans, 0) << "the first snapshot comes unasked";
  world.domains["a"].hostdevs.clear();  // and no event
  world.pass(4900ms);
  EXPECT_EQ(world.calls.size(), 1U);
  world.pass(200ms);
  EXPECT_EQ(world.rescans, 1);
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "attach 1/5 a"}));
  world.pass(5s);
  EXPECT_EQ(world.rescans, 1) << "the snapshot that was asked for has not come";
  world.snapshot({webcam()});
  world.pass(5s);
  EXPECT_EQ(world.rescans, 2);
}

TEST(Reconciler, AnIntervalOfNothingIsATenthOfASecond) {
  World world;
  world.configure("{interval: 1ns, machines: {}}");
  world.snapshot({});
  int rounds = 0;
  for (const auto end = world.now + 1s; world.now < end; world.now += 1ms) {
    world.step();
    rounds += static_cast<int>(world.requests.size());
    world.settle();
  }
  EXPECT_GE(rounds, 9);
  EXPECT_LE(rounds, 11);
}

// The longest that Go knows, on a clock that has run for a while.
TEST(Reconciler, ALongIntervalIsADay) {
  World world;
  world.now += 24h * 365 * 100;
  world.configure("{interval: 2562047h, machines: {}}");
  world.snapshot({});
  const int before = world.rescans;
  world.pass(23h);
  EXPECT_EQ(world.rescans, before);
  world.pass(1h);
  EXPECT_EQ(world.rescans, before + 1);
}

TEST(Reconciler, AMoveByReloadIsDetachedFirst) {
  World world;
  world.add("a");
  world.add("b");
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  world.configure(
      "{interval: 1h, machines: {b: {devices: [{vendor-id: 0x046d}]}, a: {devices: [{bus: 9}]}}}");
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "detach 1/5 a", "attach 1/5 b"}));
}

TEST(Reconciler, WhatLeavesAFullBusGoesBeforeWhatComes) {
  World world;
  world.add("a", true, {hostdev_of(scale())});
  world.configure(kWebcamToA);
  world.snapshot({webcam(), scale()});
  EXPECT_EQ(world.calls, (Calls{"detach 2/7 a", "attach 1/5 a"}));
}

TEST(Reconciler, ALastingFailureIsTriedSlowerAndSlowerAndSaidOnce) {
  World world;
  world.add("a");
  world.domains["a"].error = "internal error: No free USB ports";
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  world.pass(60s);
  EXPECT_LE(world.calls.size(), 12U);
  EXPECT_GE(world.calls.size(), 8U);
  EXPECT_EQ(
      world.count(
          log::Level::kError,
          "cannot attach 001/005 046d:0825 serial=3187B60 port=1-1 to a by a[0]: libvirt "
          "says: internal error: No free USB ports: every USB port of the guest is taken: give the guest "
          "a controller with more ports, or another one: trying again"),
      1U);
  EXPECT_EQ(world.count(log::Level::kError, ""), 1U);
  world.domains["a"].error = "internal error: something else";
  world.pass(60s);
  EXPECT_EQ(world.count(log::Level::kError, ""), 1U) << "though the reason is another one now";
  world.domains["a"].error.clear();
  world.event("a");
  EXPECT_EQ(world.count(log::Level::kInfo, "attached"), 1U) << "at once when something changed";
  EXPECT_EQ(world.count(log::Level::kInfo,
                        concat(" to a by a[0] in 0 ms, after ", world.calls.size(), " attempts in 120 s")),
            1U);
}

TEST(Reconciler, AnEventWhileAnAttachFailsLeadsToAnotherSoon) {
  World world;
  world.add("a");
  world.domains["a"].error = "failed to find host usb device 1:5";
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  world.pass(5s);  // the pauses have become long
  world.now = world.next_step();
  world.step();
  ASSERT_EQ(world.requests.size(), 1U) << "an attach";
  Device bound = webcam();
  bound.properties.push_back({"BOUND", "1"});
  world.plug_unanswered(bound);
  world.settle();
  world.domains["a"].error.clear();
  world.pass(100ms);
  EXPECT_EQ(world.domains["a"].hostdevs.size(), 1U);
}

TEST(Reconciler, AnEventBeforeAnAttachThatFailsLeadsToOneMoreOnly) {
  World world;
  world.add("a");
  world.domains["a"].error = "failed to find host usb device 1:5";
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  world.pass(5s);
  const std::size_t before = world.calls.size();
  Device bound = webcam();
  bound.properties.push_back({"BOUND", "1"});
  world.plug(bound);
  world.pass(1s);
  EXPECT_EQ(world.calls.size(), before + 1);
}

TEST(Reconciler, WhatWasJustAttachedIsNotGivenToAnotherByAReload) {
  World world;
  world.add("a");
  world.add("b");
  world.configure(kWebcamToA);
  world.snapshot({});
  world.plug_unanswered(webcam());
  world.answer();  // the attach; a is not yet described again
  world.configure(
      "{interval: 1h, machines: {b: {devices: [{vendor-id: 0x046d}]}, a: {devices: [{bus: 9}]}}}");
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "detach 1/5 a", "attach 1/5 b"}));
}

// The twin has another serial number.
Device webcam_connected_at(const std::string& microseconds, const std::string& serial = "3187B60") {
  Device device = webcam();
  device.properties = {{"ID_SERIAL_SHORT", serial}, {"USEC_INITIALIZED", microseconds}};
  return device;
}

TEST(Reconciler, ADeviceThatConnectsAgainWithTheSameNumbersIsAttachedAnew) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({webcam_connected_at("100")});
  world.plug(webcam_connected_at("200"));
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "detach 1/5 a", "attach 1/5 a"}));
  world.pass(60s);
  EXPECT_EQ(world.calls.size(), 3U);
  EXPECT_EQ(world.count(log::Level::kInfo, "from a: it left the host"), 1U);
}

TEST(Reconciler, AHostdevWhoseDeviceLeftIsNotItsTwins) {
  World world;
  world.add("a");
  world.add("b");
  world.configure(
      "{interval: 1h, machines: {b: {devices: [{udev: {env: [{name: ID_SERIAL_SHORT, equals: B}]}}]}, "
      "a: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({webcam_connected_at("100")});
  world.reconnect("1-1", webcam_connected_at("200", "B"));
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "detach 1/5 a", "attach 1/5 b"}))
      << "a's rule fits the twin, too, but a never had it";
}

TEST(Reconciler, ADeviceThatConnectsAgainWhileItIsAttachedIsAttachedAnew) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({});
  world.plug_unanswered(webcam_connected_at("100"));
  world.plug_unanswered(webcam_connected_at("200"));
  world.settle();
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "detach 1/5 a", "attach 1/5 a"}));
}

// What libvirt shows of a hostdev whose device was not there when the guest started.
const char kMissingWebcam[] =
    "<hostdev mode='subsystem' type='usb'><source startupPolicy='optional' missing='yes'>"
    "<vendor id='0x046d'/><product id='0x0825'/><address bus='1' device='5'/></source></hostdev>";

TEST(Reconciler, AHostdevThatIsMissingIsNotTakenForTheDeviceThatComesAndGoesWithItsNumbers) {
  World world;
  world.add("a");
  world.domains["a"].odd = kMissingWebcam;
  world.domains["a"].marked = true;
  world.configure("{interval: 1h, foreign-devices: keep, machines: {a: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({});
  world.plug(webcam());
  world.unplug("1-1");
  world.plug(webcam());
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "detach 1/5 a", "attach 1/5 a"}));
  world.pass(60s);
  EXPECT_EQ(world.calls.size(), 3U);
}

TEST(Reconciler, AHostdevThatIsMissingIsNotTakenForADeviceThatLeftBeforeTheGuestHadOne) {
  World world;
  world.add("a");
  world.domains["a"].odd = kMissingWebcam;
  world.domains["a"].marked = true;
  world.configure("{interval: 1h, foreign-devices: keep, machines: {a: {devices: [{udev: {tags: [t]}}]}}}");
  world.snapshot({webcam()});
  world.unplug("1-1");
  Device device = webcam();
  device.tags = {"t"};
  world.plug(device);
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
}

TEST(Reconciler, AGuestThatWasRestoredIsGivenItsDevicesAnew) {
  World world;
  world.add("a", true, {hostdev_of(webcam())});
  world.add("other", true, {hostdev_of(scale())});
  world.configure(kWebcamToA);
  world.snapshot({webcam(), scale()});
  EXPECT_TRUE(world.calls.empty());
  for (const char* const name : {"a", "other"})
    world.take(DomainChanged{world.domains[name].uuid, name, {.let_go = true}});
  world.settle();
  EXPECT_EQ(world.calls, (Calls{"detach 1/5 a", "attach 1/5 a"})) << "and one that is not configured not";
  world.event("a");
  EXPECT_EQ(world.calls.size(), 2U);
}

TEST(Reconciler, AGuestThatEndedAsItWasRestoredAndThenStartsKeepsWhatItStartsWith) {
  World world;
  world.add("a", false);
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  world.take(DomainChanged{world.domains["a"].uuid, "a", {.let_go = true}});
  world.settle();
  world.domains["a"].running = true;
  world.domains["a"].hostdevs = {hostdev_of(webcam())};
  world.event("a");
  EXPECT_EQ(world.calls, Calls{});
}

TEST(Reconciler, AGuestThatIsRestoredWhileItsEndIsAskedAboutIsGivenItsDevicesAnew) {
  World world;
  world.add("a", true, {hostdev_of(webcam())});
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  world.domains["a"].running = false;
  world.take(DomainChanged{world.domains["a"].uuid, "a", {}});
  world.step();
  world.take(DomainChanged{world.domains["a"].uuid, "a", {.let_go = true}});
  world.answer();  // that it is off
  world.domains["a"].running = true;
  world.settle();
  EXPECT_EQ(world.calls, (Calls{"detach 1/5 a", "attach 1/5 a"}));
}

TEST(Reconciler, AHostdevThatWasAttachedWithoutItsDeviceIsDetachedWithOneAlarm) {
  World world;
  world.add("a", true, {hostdev_of(webcam())});
  world.domains["a"].marked = world.domains["a"].missing = true;
  world.configure(kWebcamToA);
  world.domains["a"].error = "busy";
  world.snapshot({webcam()});
  world.pass(10s);
  EXPECT_EQ(world.count(log::Level::kError, "ALARM: libvirt gave machine a the hostdev of 001/005 046d:0825"),
            1U);
  EXPECT_EQ(std::count(world.calls.begin(), world.calls.end(), "attach 1/5 a"), 0) << "QEMU could take it";
  world.domains["a"].error.clear();
  world.domains["a"].missing = false;  // of what is attached from now on
  world.pass(60s);
  EXPECT_EQ(world.calls.at(world.calls.size() - 2), "detach 1/5 a");
  EXPECT_EQ(world.calls.back(), "attach 1/5 a");
}

TEST(Reconciler, AHostdevThatIsKeptThoughItsDeviceLeftIsSpokenOfOnce) {
  World world;
  world.add("a", true, {hostdev_of(webcam())});
  world.configure("{interval: 5s, foreign-devices: keep, machines: {a: {devices: [{vendor-id: 0x0922}]}}}");
  world.snapshot({webcam()});
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 0U);
  const char kLine[] =
      "machine a keeps the hostdev of 001/005 046d:0825, whose device left the host, or QEMU";
  for (std::size_t times = 1; times <= 2; ++times) {
    world.unplug("1-1");
    world.pass(60s);
    EXPECT_EQ(world.count(log::Level::kWarning, kLine), times);
    world.domains["a"].hostdevs.clear();
    world.event("a");
    world.plug(webcam());
    world.domains["a"].hostdevs = {hostdev_of(webcam())};
    world.event("a");
  }
}

const char kPutAside[] =
    "001/005 046d:0825 serial=3187B60 port=1-1 is put aside for machine a, whose QEMU died twice within 7 s "
    "of "
    "a change of that device: until it is unplugged for 3 s and plugged again, a reload or a restart of the "
    "daemon";

// A guest that has died twice of the webcam, and runs again.
void die_twice(World& world) {
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(world.count(log::Level::kWarning, kPutAside), 0U);
    EXPECT_EQ(world.calls, Calls(static_cast<std::size_t>(i) + 1, "attach 1/5 a"));
    world.pass(1s);
    world.die("a");
    world.pass(10s);
    world.start("a");
  }
  world.calls.clear();
}

TEST(Reconciler, ADeviceThatAGuestDiedOfTwiceIsPutAsideAndSpokenOfOnce) {
  World world;
  die_twice(world);
  world.pass(1h);
  EXPECT_EQ(world.calls, Calls{});
  EXPECT_EQ(world.count(log::Level::kWarning, kPutAside), 1U);
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 1U);
}

TEST(Reconciler, ItIsServedAgainWhenItIsPluggedAgain) {
  World world;
  die_twice(world);
  world.reconnect("1-1", webcam(6));
  EXPECT_EQ(world.calls, Calls{}) << "nobody plugs that fast";
  world.unplug("1-1");
  world.pass(3s);
  world.plug(webcam(7));
  EXPECT_EQ(world.calls, Calls{"attach 1/7 a"});
}

TEST(Reconciler, ItIsServedAgainAfterAReload) {
  World world;
  die_twice(world);
  world.configure(kWebcamToA);
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
}

TEST(Reconciler, AnotherMachineMayHaveWhatIsPutAside) {
  World world;
  die_twice(world);
  world.add("b");
  world.configure(
      "{interval: 1h, machines: {a: {devices: [{bus: 1}]}, b: {devices: [{vendor-id: 0x046d}]}}}");
  for (int i = 0; i < 2; ++i) {
    world.die("b");  // which has nothing to do with a's device
    world.start("b");
    world.pass(1s);
    world.die("a");
    world.pass(10s);
    world.start("a");
  }
  EXPECT_EQ(world.domains["a"].hostdevs, std::vector<Hostdev>{});
  EXPECT_EQ(world.domains["b"].hostdevs, std::vector<Hostdev>{hostdev_of(webcam())});
}

TEST(Reconciler, AGuestThatDiesOfADeviceThatReconnectsIsSparedIt) {
  for (const bool death_is_heard_of_first : {false, true}) {
    World world;
    world.add("a");
    world.configure(kWebcamToA);
    world.snapshot({webcam(4)});
    for (std::uint16_t i = 5; i <= 6; ++i) {
      world.pass(10s);
      if (death_is_heard_of_first) world.die("a");
      world.reconnect("1-1", webcam(i));
      world.pass(1s);
      if (!death_is_heard_of_first) world.die("a");
      world.start("a");
    }
    EXPECT_EQ(world.count(log::Level::kWarning, "port=1-1 is put aside for machine a, whose QEMU died"), 1U)
        << death_is_heard_of_first;
  }
}

TEST(Reconciler, ADeathMayBeToldAfterTheGuestWasSeenToBeOff) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({webcam(4)});
  for (std::uint16_t i = 5; i <= 6; ++i) {
    world.pass(10s);
    world.domains["a"].running = false;
    world.domains["a"].hostdevs.clear();
    world.event("a");
    world.die("a");
    world.reconnect("1-1", webcam(i));
    world.start("a");
  }
  EXPECT_EQ(world.count(log::Level::kWarning, "port=1-1 is put aside for machine a, whose QEMU died"), 1U);
}

// QEMU dies while an attach is under way, which fails with that code; the first one that is asked for.
void die_during_an_attach(World& world, bool death_is_heard_of_first, std::int32_t code) {
  for (int step = 0; step < 10 && world.count_of_changes() < 1; ++step) {
    world.pass_unanswered(100ms);
    world.answer_all_but_changes();
  }
  ASSERT_EQ(world.count_of_changes(), 1U);
  world.pass_unanswered(30s);
  world.domains["a"].running = false;
  const DomainChanged died{world.domains["a"].uuid, "a", {.died = true}};
  if (death_is_heard_of_first) world.take(died);
  world.refuse_next(code, "Unable to read from monitor: Connection reset by peer");
  if (!death_is_heard_of_first) world.take(died);
  world.settle();
  world.domains["a"].running = true;
  world.take(DomainChanged{world.domains["a"].uuid, "a"});
}

TEST(Reconciler, WhatIsUnderWayWhenAGuestDiesIsWhatItDiesOf) {
  for (const bool death_is_heard_of_first : {false, true}) {
    World world;
    world.add("a");
    world.configure("{interval: 1h, machines: {a: {devices: [{bus: 1}, {bus: 2}]}}}");
    world.snapshot({});
    world.plug_unanswered({webcam(), scale()});
    die_during_an_attach(world, death_is_heard_of_first, 38);
    die_during_an_attach(world, death_is_heard_of_first, 38);
    world.pass(60s);
    EXPECT_EQ(world.domains["a"].hostdevs, std::vector<Hostdev>{hostdev_of(scale())});
  }
}

TEST(Reconciler, WhatLibvirtRefusedForAGuestThatWasOffIsNotWhatItDiedOf) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({});
  world.plug_unanswered(webcam());
  for (int i = 0; i < 3; ++i) die_during_an_attach(world, false, 55);
  world.pass(60s);
  EXPECT_EQ(world.domains["a"].hostdevs, std::vector<Hostdev>{hostdev_of(webcam())});
}

TEST(Reconciler, AGuestThatIsSwitchedOffDiesOfNothing) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  for (int i = 0; i < 5; ++i) {
    world.domains["a"].running = false;
    world.domains["a"].hostdevs.clear();
    world.event("a");
    world.start("a");
  }
  EXPECT_EQ(world.calls.size(), 6U);
}

TEST(Reconciler, OneFailureAtThePlugIsMendedSilently) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({});
  world.domains["a"].error = "failed to find host usb device 1:5";
  world.plug(webcam());
  world.domains["a"].error.clear();
  world.pass(100ms);
  EXPECT_EQ(world.calls.size(), 2U);
  EXPECT_EQ(world.count(log::Level::kError, ""), 0U);
  EXPECT_EQ(world.count(log::Level::kInfo, "attached"), 1U);
}

TEST(Reconciler, ADetachThatTheGuestDelaysIsNotRepeatedAtOnce) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  world.domains["a"].in_vain = true;
  world.unplug("1-1");
  world.pass(4s);
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "detach 1/5 a"}));
  world.pass(2s);
  EXPECT_EQ(world.calls.size(), 3U);
  EXPECT_EQ(world.count(log::Level::kWarning, "but the live XML of a does not show it"), 1U);
}

TEST(Reconciler, AStalledGuestIsLeftAloneAndDelaysNoOther) {
  World world;
  world.add("a");
  world.add("b");
  world.configure(
      "{interval: 1h, machines: {a: {devices: [{vendor-id: 0x046d}]}, b: {devices: [{vendor-id: 0x0922}]}}}");
  world.snapshot({});
  world.plug_unanswered(webcam());
  world.requests.clear();
  world.take(DomainStalled{world.domains["a"].uuid});
  world.plug(scale());
  EXPECT_EQ(world.calls, Calls{"attach 2/7 b"});
  EXPECT_EQ(world.count(log::Level::kWarning, "machine a does not answer"), 1U);
}

TEST(Reconciler, AGuestIsServedAgainWhenTheCallThatHungReturns) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({});
  world.domains["a"].error = "Timed out during operation: cannot acquire state change lock";
  world.plug_unanswered(webcam());
  world.take(DomainStalled{world.domains["a"].uuid});
  world.step();
  EXPECT_EQ(world.requests.size(), 1U);
  world.answer();
  world.domains["a"].error.clear();
  world.pass(1s);
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "attach 1/5 a"}));
}

// One refusal, one description, one request: the actuator has each wait before it refuses it.
TEST(Reconciler, AnAttachThatFoundNoRoomIsAskedForAgain) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({});
  world.plug_unanswered(webcam());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(world.requests.size(), 1U);
    world.take(Result{world.requests.front().id, Outcome::kStalled, 0, "", 0});
    world.requests.clear();
    world.step();
    ASSERT_EQ(world.requests.size(), 1U) << "its description";
    world.answer();
    world.step();
  }
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 0U);
  world.settle();
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
}

// As libvirt 11 says it, which describes a guest only when nothing else is done with it.
void be_busy(World& world, const std::string& guest) {
  world.domains[guest].not_described = 68;
  world.domains[guest].why_not =
      "Timed out during operation: cannot acquire state change lock (held by "
      "monitor=remoteDispatchDomainAttachDeviceFlags)";
}

TEST(Reconciler, AGuestThatIsBusyKeepsWhatItHadAndIsNotComplainedOf) {
  World world;
  world.add("a");
  world.add("b");
  world.configure(
      "{interval: 5s, machines: {b: {devices: [{bus: 1}]}, a: {devices: [{vendor-id: 0x046d}]}}}");
  world.domains["a"].hostdevs = {hostdev_of(webcam())};
  world.event("a");
  be_busy(world, "a");
  world.snapshot({webcam()});
  world.pass(100s);
  EXPECT_EQ(world.calls, Calls{}) << "the webcam is still a's";
  EXPECT_EQ(world.count(log::Level::kWarning, ""), world.count(log::Level::kWarning, "machine b also wants"));
  EXPECT_EQ(world.count(log::Level::kError, ""), 0U);
  world.domains["a"].not_described = 0;
  world.domains["a"].hostdevs.clear();
  world.event("a");
  EXPECT_EQ(world.calls, Calls{"attach 1/5 b"}) << "at once, when something happens to it";
}

TEST(Reconciler, AGuestThatIsBusyIsDescribedAgainWithGrowingPauses) {
  World world;
  world.add("a");
  be_busy(world, "a");
  world.domains["a"].not_described = 9;
  world.domains["a"].why_not =
      "operation failed: cannot acquire state change lock (held by monitor=remoteDispatchDomainSave) due to "
      "max_queued limit";
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  world.pass(10s);
  EXPECT_EQ(world.descriptions, 4) << "after 0, 1, 3 and 7 s";
  world.pass(80s);
  EXPECT_EQ(world.descriptions, 7) << "after 15, 31 and 61 s";
  world.domains["a"].not_described = 0;
  world.pass(5s);
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"}) << "without an event";
}

TEST(Reconciler, AGuestThatIsBusyForLongIsSpokenOfOnce) {
  World world;
  world.add("a");
  be_busy(world, "a");
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  for (std::size_t i = 1; i <= 2; ++i) {
    world.pass(119s);
    EXPECT_EQ(world.count(log::Level::kWarning, "machine a is busy"), i - 1);
    world.pass(10min);
    EXPECT_EQ(world.count(log::Level::kWarning, "machine a is busy"), i);
    world.domains["a"].not_described = 0;
    world.pass(30s);
    be_busy(world, "a");
    world.event("a");
  }
}

TEST(Reconciler, ADescriptionThatHangsIsComplainedOfOnlyAfterLong) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({});
  world.take(DomainChanged{world.domains["a"].uuid, "a"});
  world.step();
  world.take(DomainStalled{world.domains["a"].uuid});
  world.pass_unanswered(119s);
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 0U);
  world.pass_unanswered(1s);
  EXPECT_EQ(world.count(log::Level::kWarning, "machine a is busy"), 1U);
}

TEST(Reconciler, AMalformedDomainHarmsNoOther) {
  World world;
  world.add("a");
  world.add("b");
  world.domains["a"].odd = "<not well-formed";
  world.configure(
      "{interval: 1s, machines: {a: {devices: [{bus: 9}]}, b: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({webcam()});
  EXPECT_EQ(world.calls, Calls{"attach 1/5 b"});
  world.pass(10s);
  EXPECT_EQ(world.count(log::Level::kWarning, "machine a: "), 1U) << "said once";
}

TEST(Reconciler, AForeignHostdevWithoutNumbersHarmsNobody) {
  World world;
  world.add("a");
  world.domains["a"].odd = "<hostdev mode='subsystem' type='usb'><source/></hostdev>";
  world.configure("{interval: 1s, machines: {a: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({webcam()});
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
  world.pass(10s);
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 1U);
}

TEST(Reconciler, AConflictIsSaidOnceAndEndsWhenTheOwnerStops) {
  World world;
  world.add("a");
  world.add("b");
  world.configure("{interval: 1s, machines: {a: {devices: [{bus: 1}]}, b: {devices: [{bus: 1}]}}}");
  world.snapshot({webcam()});
  world.pass(10s);
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
  EXPECT_EQ(
      world.count(log::Level::kWarning,
                  "machine b also wants 001/005 046d:0825 serial=3187B60 port=1-1 by b[0]: it stays with a"),
      1U);
  world.domains["a"].running = false;
  world.domains["a"].hostdevs.clear();
  world.event("a");
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "attach 1/5 b"}));
}

TEST(Reconciler, WhatIsNotAuthorizedStaysWithTheHostSaidOnceAndIsServedAtOnceWhenItIs) {
  World world;
  world.add("a");
  world.configure("{interval: 1s, machines: {a: {devices: [{bus: 9}, {bus: 1}]}}}");
  Device device = webcam();
  device.authorized = false;
  world.snapshot({device});
  world.pass(10s);
  EXPECT_EQ(world.calls, Calls{});
  EXPECT_EQ(
      world.count(log::Level::kWarning,
                  "001/005 046d:0825 serial=3187B60 port=1-1 stays with the host: it is not authorized; "
                  "machine a wants it by a[1]"),
      1U);
  EXPECT_EQ(world.count(log::Level::kWarning, "allow-host-device"), 0U) << "that would not help";
  EXPECT_EQ(world.count(log::Level::kDebug, "  the host: has not authorized it"), 1U);
  device.authorized = true;
  world.plug(device);
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
  device.authorized = false;
  world.plug(device);
  EXPECT_EQ(world.calls, (Calls{"attach 1/5 a", "detach 1/5 a"}));
  EXPECT_EQ(world.count(log::Level::kInfo, "from a: the host does not authorize it"), 1U);
}

Device driven(Device device, const std::string& driver) {
  device.driver = driver.empty() ? DriverKind::kNone : DriverKind::kHost;
  device.host_driver = driver;
  return device;
}

// Attached by this daemon to a, and QEMU has it.
void begin_attached(World& world) {
  world.add("a");
  world.domains["a"].marked = true;
  world.configure(kWebcamToA);
  world.snapshot({driven(webcam(), "usbhid")});
  world.plug(webcam());
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
  world.calls.clear();
}

// A second passes, and the scanner reads all devices again, if it is asked to.
void pass_a_moment(World& world, const Device& device, Clock::duration moment = 1s) {
  const int before = world.rescans;
  world.pass(moment);
  if (world.rescans > before) world.snapshot({device});
}

TEST(Reconciler, WhatADriverOfTheHostHasTakenBackIsGivenAnewAfterASecond) {
  World world;
  begin_attached(world);
  const Device taken = driven(webcam(), "usb\nhid");
  world.plug(taken);
  pass_a_moment(world, taken, 999ms);
  EXPECT_EQ(world.calls, Calls{});
  pass_a_moment(world, taken, 1ms);
  EXPECT_EQ(world.calls, (Calls{"detach 1/5 a", "attach 1/5 a"}));
  EXPECT_EQ(world.count(log::Level::kInfo, "from a: the host's driver had taken it back (\"usb\\x0ahid\")"),
            1U);
  world.plug(webcam());
  pass_a_moment(world, webcam(), 1min);
  EXPECT_EQ(world.calls.size(), 2U);
}

// Right after an attach, or while a guest sets a device up, the host's driver may have it for a moment.
TEST(Reconciler, WhatADriverOfTheHostHasForAMomentIsLeftAlone) {
  World world;
  begin_attached(world);
  for (int i = 0; i < 10; ++i) {
    world.plug(driven(webcam(), "usbhid"));
    pass_a_moment(world, driven(webcam(), "usbhid"), 900ms);
    world.plug(webcam());
    pass_a_moment(world, webcam(), 900ms);
  }
  EXPECT_EQ(world.calls, Calls{});
  EXPECT_EQ(world.rescans, 0);
}

// An event of udev may be late, so that the record is older than the attach: it is read again before it
// counts.
TEST(Reconciler, ARecordThatIsOldTakesNothingFromAGuest) {
  World world;
  begin_attached(world);
  world.plug(driven(webcam(), "usbhid"));
  world.pass(1s);
  EXPECT_EQ(world.rescans, 1);
  world.pass(100ms);
  EXPECT_EQ(world.rescans, 1) << "it is asked once";
  world.snapshot({webcam()});
  world.pass(1min);
  EXPECT_EQ(world.calls, Calls{});
}

TEST(Reconciler, ADeviceIsGivenAnewAfterARestartOfTheDaemonToo) {
  World world;
  world.add("a", true, {hostdev_of(webcam())});
  world.domains["a"].marked = true;
  world.configure(kWebcamToA);
  world.snapshot({driven(webcam(), "usbhid")});
  pass_a_moment(world, driven(webcam(), "usbhid"));
  EXPECT_EQ(world.calls, (Calls{"detach 1/5 a", "attach 1/5 a"}));
}

TEST(Reconciler, WhatIsTakenBackAllTheTimeIsPutAside) {
  World world;
  begin_attached(world);
  for (int i = 0; i < 20; ++i) {
    world.plug(driven(webcam(), "usbhid"));
    pass_a_moment(world, driven(webcam(), "usbhid"));
    world.plug(webcam());
  }
  ASSERT_EQ(std::count(world.calls.begin(), world.calls.end(), "attach 1/5 a"), 10);
  EXPECT_EQ(world.calls.back(), "detach 1/5 a");
  EXPECT_EQ(world.count(log::Level::kWarning, "it is put aside until its port is quiet for 30 s"), 1U);
}

// QEMU may not get an interface from the host's driver at all: that must not take the device from its guest
// for ever.
TEST(Reconciler, WhatTheHostsDriverKeepsIsGivenAnewAFewTimesOnly) {
  World world;
  begin_attached(world);
  const Device taken = driven(webcam(), "usbhid");
  world.plug(taken);
  for (int i = 0; i < 600; ++i) pass_a_moment(world, taken, 500ms);
  EXPECT_EQ(world.calls.size(), 2U * 3);
  EXPECT_EQ(world.domains["a"].hostdevs.size(), 1U);
  EXPECT_EQ(world.count(log::Level::kWarning, "is a guest's, but the host's driver usbhid keeps it"), 1U);
}

// Each attach that fails makes the host's driver come and go: no reason to try the next one at once.
TEST(Reconciler, AChangeOfTheDriverAloneHurriesNoAttempt) {
  World world;
  world.add("a");
  world.domains["a"].error = "no";
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  for (int i = 0; i < 100; ++i) {
    world.plug(driven(webcam(), "usbhid"));
    world.pass(50ms);
    world.plug(webcam());
    world.pass(50ms);
  }
  EXPECT_LT(world.calls.size(), 10U) << "of 200 changes in ten seconds";
}

TEST(Reconciler, WhatTheHostUsesStaysWithItSaidOnceAndIsAttachedWhenItIsFree) {
  World world;
  world.add("a");
  world.configure("{interval: 1s, machines: {a: {devices: [{bus: 9}, {bus: 1}]}}}");
  Device disk = webcam();
  disk.host_uses = {{HostUseKind::kMounted, "sdb1"}, {HostUseKind::kSwap, "sdb\n2"}};
  world.snapshot({disk});
  world.pass(10s);
  EXPECT_EQ(world.count(log::Level::kWarning,
                        "001/005 046d:0825 serial=3187B60 port=1-1 stays with the host: sdb1 is mounted, "
                        "\"sdb\\x0a2\" is swap; machine a wants it by a[1]; to allow it, say "
                        "allow-host-device: true in that rule"),
            1U);
  EXPECT_EQ(world.count(log::Level::kDebug, "  the host: sdb1 is mounted"), 1U);
  disk.host_uses.pop_back();
  world.plug(disk);
  EXPECT_EQ(world.count(log::Level::kWarning, "stays with the host: sdb1 is mounted; machine a"), 1U);
  disk.host_uses = {{HostUseKind::kSettling, "sdb1"}};
  world.plug(disk);
  world.pass(10s);
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 2U) << "what settles is not said";
  EXPECT_EQ(world.calls, Calls{});
  disk.host_uses.clear();
  world.plug(disk);
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
  disk.host_uses = {{HostUseKind::kDefaultRoute, "usb0"}};
  world.plug(disk);
  world.pass(10s);
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"}) << "what a guest has stays there";
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 2U);
}

TEST(Reconciler, AReloadThatAllowsADeviceOfTheHostAttachesIt) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  Device only = webcam();
  only.host_uses = {{HostUseKind::kKeyboard, "input5"}};
  world.snapshot({only});
  EXPECT_EQ(world.count(log::Level::kWarning, "input5 is the only keyboard of the local console"), 1U);
  EXPECT_EQ(world.count(log::Level::kDebug, "  the host: input5 is a keyboard of the local console"), 1U);
  world.configure("{machines: {a: {devices: [{vendor-id: 0x046d, allow-host-device: true}]}}}");
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
}

TEST(Reconciler, DebugModeListsDevicesAndGuests) {
  World world;
  world.add("a");
  world.add("off", false);
  world.configure(kWebcamToA);
  world.snapshot({webcam()});
  EXPECT_EQ(world.count(log::Level::kDebug, "device 001/005 046d:0825"), 1U);
  EXPECT_EQ(world.count(log::Level::kDebug, "  ID_SERIAL_SHORT = 3187B60"), 1U);
  EXPECT_EQ(world.count(log::Level::kDebug, "guest a 00000000-0000-0007-0000-000000000001 running"), 1U);
  EXPECT_EQ(world.count(log::Level::kDebug, "guest off"), 1U);
}

TEST(Reconciler, DebugModeListsADeviceThatComesOrAnswersLaterThanTheScan) {
  World world;
  world.configure("{}");
  Device late = webcam();
  late.digest.reset();
  late.properties.clear();
  world.snapshot({late});
  EXPECT_EQ(world.count(log::Level::kDebug, "device "), 1U);
  EXPECT_EQ(world.count(log::Level::kDebug, "  (it does not answer: nothing more is known of it)"), 1U);
  EXPECT_EQ(world.count(log::Level::kDebug, "  ID_SERIAL_SHORT"), 0U);
  world.plug(webcam());
  EXPECT_EQ(world.count(log::Level::kDebug, "device 001/005 046d:0825"), 2U);
  EXPECT_EQ(world.count(log::Level::kDebug, "  ID_SERIAL_SHORT = 3187B60"), 1U);
  world.plug(webcam());
  EXPECT_EQ(world.count(log::Level::kDebug, "device "), 2U) << "nothing is new";
}

TEST(Reconciler, TheStatusSaysWhatIs) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  ASSERT_FALSE(world.statuses.empty());
  EXPECT_FALSE(world.statuses.front().libvirt_connected);
  world.snapshot({webcam(), scale()});
  EXPECT_EQ(world.statuses.back(), (Status{true, 1, 1, 2, 1}));
}

TEST(Reconciler, TheStatusDoesNotCountWhatIsMissing) {
  World world;
  world.add("a");
  world.domains["a"].odd = kMissingWebcam;
  world.configure("{interval: 1h, foreign-devices: keep, machines: {a: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({scale()});
  EXPECT_EQ(world.statuses.back(), (Status{true, 1, 1, 1, 0}));
}

TEST(Reconciler, APingIsAnsweredWhenBothWorkersHaveAnswered) {
  World world;
  world.configure(kWebcamToA);
  world.ping();
  EXPECT_EQ(world.pings, 1);
  EXPECT_EQ(world.pongs, 0);
  world.pong_of_scanner();
  EXPECT_EQ(world.pongs, 0) << "the actuator has not answered";
  world.settle();
  EXPECT_EQ(world.pongs, 1);
  world.ping();
  world.settle();
  EXPECT_EQ(world.pongs, 1) << "the scanner has not answered";
  world.pong_of_scanner();
  EXPECT_EQ(world.pongs, 2);
}

TEST(Reconciler, APingHasAPlaceHoweverManyRequestsAreUnanswered) {
  World world;
  std::string machines;
  for (int i = 1; i <= 80; ++i) {
    const std::string number = std::to_string(i);
    world.add("m" + number);
    machines += (i > 1 ? ", m" : "m") + number + ": {devices: [{device: " + number + "}]}";
  }
  world.configure("{interval: 1h, machines: {" + machines + "}}");
  world.snapshot({});
  for (std::uint16_t i = 1; i <= 80; ++i) {
    Device device = webcam(i);
    device.sysname = "1-" + std::to_string(i);
    world.plug_unanswered(device);
  }
  EXPECT_EQ(world.requests.size(), kMaxRequestsInFlight - 1);
  world.ping();
  EXPECT_EQ(world.requests.size(), kMaxRequestsInFlight);
  EXPECT_TRUE(std::holds_alternative<Ping>(world.requests.back().what));
}

TEST(Reconciler, AnActuatorThatWaitsForLibvirtIsNotAsked) {
  World world;
  world.ping();
  world.pong_of_scanner();
  EXPECT_EQ(world.pongs, 1);
}

TEST(Reconciler, PingsAndAnswersOutOfTurnAreViolations) {
  World world;
  EXPECT_THROW(world.pong_of_scanner(), Violation);
  world.ping();
  EXPECT_THROW(world.ping(), Violation);
}

TEST(Reconciler, ADeviceThatIsNoLongerWhatWasMeantIsLookedAtAgain) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({});
  world.plug_unanswered(webcam());
  ASSERT_EQ(world.requests.size(), 1U);
  const std::uint64_t id = world.requests.front().id;
  world.requests.clear();
  world.take(Result{id, Outcome::kOtherDevice, 0, "the device is no longer the one that was meant", 10});
  EXPECT_EQ(world.rescans, 1);
}

// Plugs the webcam so many times, each time with the next number and after so long.
void replug(World& world, int times, Clock::duration pause) {
  for (int i = 0; i < times; ++i) {
    world.pass(pause);
    world.plug(webcam(static_cast<std::uint16_t>(10 + i)));
    world.pass(pause);
    world.unplug("1-1");
  }
}

// Webcams, all on bus 1, are one machine's, and bus 2 another's.
void begin_with_two_buses(World& world) {
  world.add("a");
  world.add("b");
  world.configure(
      "{interval: 1s, machines: {a: {devices: [{vendor-id: 0x046d}]}, b: {devices: [{bus: 2}]}}}");
  world.snapshot({});
}

// What is at port 1-1 gets nothing until half a minute after its last change; other root ports are served.
void expect_put_aside_until_quiet(World& world) {
  world.plug(scale());
  EXPECT_EQ(world.calls.back(), "attach 2/7 b");
  world.plug(webcam(120));
  world.pass(29s);
  EXPECT_EQ(world.calls.back(), "attach 2/7 b");
  world.pass(1s);
  EXPECT_EQ(world.calls.back(), "attach 1/120 a");
}

TEST(Reconciler, ADeviceThatComesAndGoesAllTheTimeIsPutAsideUntilItIsQuiet) {
  World world;
  begin_with_two_buses(world);
  replug(world, 100, 250ms);
  EXPECT_EQ(world.calls.size(), 2U * (1 + 10)) << "each reconnect up to the limit, and no more";
  EXPECT_TRUE(world.domains["a"].hostdevs.empty());
  EXPECT_EQ(
      world.count(
          log::Level::kWarning,
          "001/021 046d:0825 serial=3187B60 port=1-1 reconnected more than 10 times within a minute: it "
          "is put aside until its port is quiet for 30 s"),
      1U);
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 1U);
  expect_put_aside_until_quiet(world);
  EXPECT_EQ(world.count(log::Level::kInfo, "port 1-1 was quiet for 30 s: what is there is served again"), 1U);
}

// Plugs a webcam into each of so many ports of the hub and unplugs it, and so on, each time with the next
// number.
void replug_in_turn(World& world, int times, int ports, Clock::duration pause,
                    const std::string& hub = "1-1") {
  for (int i = 0; i < times; ++i) {
    Device device = webcam(static_cast<std::uint16_t>(10 + i));
    device.sysname = concat(hub, '.', 1 + i % ports);
    world.plug(device);
    world.pass(pause);
    world.unplug(device.sysname);
  }
}

TEST(Reconciler, AHubThatReconnectsADeviceAtOnePortAfterTheOtherIsPutAsideUntilItIsQuiet) {
  World world;
  begin_with_two_buses(world);
  replug_in_turn(world, 100, 7, 250ms);
  EXPECT_EQ(world.calls.size(), 2U * (7 + 40)) << "the first ones and so many reconnects";
  EXPECT_EQ(world.count(log::Level::kWarning,
                        "port 1-1: what is behind it reconnected more than 40 times within a minute: each "
                        "port behind it is put aside until that is quiet for 30 s"),
            1U);
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 1U);
  expect_put_aside_until_quiet(world);
  EXPECT_EQ(world.count(log::Level::kInfo, "port 1-1 was quiet for 30 s: what is behind it is served again"),
            1U);
}

TEST(Reconciler, ADeviceBesideAHubThatDoesHarmIsServedAtOnce) {
  World world;
  begin_with_two_buses(world);
  replug_in_turn(world, 100, 7, 250ms, "1-1.4");
  EXPECT_EQ(world.calls.size(), 2U * (7 + 40));
  EXPECT_EQ(world.count(log::Level::kWarning, "port 1-1.4: what is behind it reconnected more than 40 times"),
            1U);
  Device beside = webcam(120);
  beside.sysname = "1-1.1";
  world.plug(beside);
  EXPECT_EQ(world.calls.back(), "attach 1/120 a");
}

TEST(Reconciler, TheSameRecordAgainIsNoReconnectNorAreOtherProperties) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  for (int i = 0; i < 50; ++i) {
    Device device = webcam();
    device.tags = {"t" + std::to_string(i / 2)};
    world.snapshot({device});
  }
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 0U);
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
}

TEST(Reconciler, AnotherDeviceWithTheSameNumberIsAReconnect) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({});
  for (std::uint64_t i = 0; i < 50; ++i) {
    Device device = webcam();
    device.digest = Digest{i, 0, 0, 0};
    world.plug(device);
  }
  EXPECT_EQ(world.count(log::Level::kWarning, "is put aside"), 1U);
}

// It is told by its numbers first, and again when udev has processed it.
TEST(Reconciler, ADeviceThatIsSlowToAnswerReconnectsNoMoreOftenThanAnyOther) {
  Device silent = webcam();
  silent.digest.reset();
  for (const bool slow : {false, true}) {
    World world;
    world.add("a");
    world.configure(kWebcamToA);
    world.snapshot({});
    for (int i = 0; i < 12; ++i) {
      EXPECT_EQ(world.count(log::Level::kWarning, "is put aside"), 0U) << i;
      if (slow) {
        world.plug(silent);
        world.unplug("1-1");
      }
      world.plug(webcam());
      world.unplug("1-1");
    }
    EXPECT_EQ(world.count(log::Level::kWarning, "is put aside"), 1U);
  }
}

TEST(Reconciler, ADeviceThatDoesNotAnswerIsAttachedWhenItDoes) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  Device silent = webcam();
  silent.digest.reset();
  world.snapshot({silent});
  EXPECT_EQ(world.calls, Calls{});
  world.plug(webcam());
  EXPECT_EQ(world.calls, Calls{"attach 1/5 a"});
}

TEST(Reconciler, WithoutALimitEachReconnectIsServed) {
  World world;
  world.add("a");
  world.configure("{interval: 1h, max-reconnects: 0, machines: {a: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({});
  replug(world, 100, 10ms);
  replug_in_turn(world, 100, 7, 10ms);
  EXPECT_EQ(world.calls.size(), 400U);
}

TEST(Reconciler, AReloadThatLiftsTheLimitServesWhatWasPutAside) {
  World world;
  world.add("a");
  world.configure(kWebcamToA);
  world.snapshot({});
  replug(world, 20, 10ms);
  world.plug(webcam());
  EXPECT_EQ(world.calls.back().substr(0, 6), "detach");
  world.configure("{interval: 1h, max-reconnects: 0, machines: {a: {devices: [{vendor-id: 0x046d}]}}}");
  EXPECT_EQ(world.calls.back(), "attach 1/5 a");
}

// A fault that lasts, or a device that means harm, gets three lines a minute about each subject.

TEST(ReconcilerLog, AConflictThatComesAndGoesDoesNotFillIt) {
  World world;
  world.add("a");
  world.add("b");
  world.configure(
      "{interval: 1h, machines: {a: {devices: [{bus: 1}]}, b: {devices: [{udev: {tags: [t]}}]}}}");
  world.snapshot({webcam()});
  for (int i = 0; i < 100; ++i) {
    Device device = webcam();
    if (i % 2 == 0) device.tags = {"t"};
    world.plug(device);
    world.pass(500ms);
  }
  EXPECT_EQ(world.count(log::Level::kWarning, "machine b also wants"), 3U);
  EXPECT_EQ(world.count(log::Level::kWarning, ""), 3U);
  world.pass(10s);
  world.plug(webcam());
  EXPECT_EQ(world.count(log::Level::kWarning,
                        "47 more lines about machine b and port 1-1 were left out within a minute"),
            1U);
}

TEST(ReconcilerLog, AnAttachThatFailsUnderOneNumberAfterTheOtherDoesNotFillIt) {
  World world;
  world.add("a");
  world.domains["a"].error = "internal error: No free USB ports";
  world.configure("{interval: 1h, max-reconnects: 0, machines: {a: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({});
  for (std::uint16_t i = 1; i <= 59; ++i) {
    world.plug(webcam(i));
    world.pass(1s);
  }
  EXPECT_GE(world.calls.size(), 2U * 59);
  EXPECT_EQ(world.count(log::Level::kError, "cannot attach"), 3U);
  EXPECT_EQ(world.lines.size() - world.count(log::Level::kDebug, ""), 3U);
}

TEST(ReconcilerLog, AListOfDomainsThatCannotBeHadIsSaidOnceAndWhenItCanAgain) {
  World world;
  world.add("a");
  world.configure("{interval: 100ms, machines: {a: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({});
  world.list_error = "no memory";
  world.pass(60s);
  EXPECT_EQ(world.count(log::Level::kError, "listing the domains failed: no memory: trying again"), 1U);
  world.list_error.clear();
  world.pass(60s);
  EXPECT_EQ(world.count(log::Level::kInfo, "listing the domains works again"), 1U);
  EXPECT_EQ(world.count(log::Level::kError, ""), 1U);
}

TEST(ReconcilerLog, AnXmlThatIsWrongInEverNewWaysDoesNotFillIt) {
  World world;
  world.add("a");
  world.configure("{interval: 1s, machines: {a: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({});
  for (int i = 0; i < 59; ++i) {
    world.domains["a"].odd = std::string(static_cast<std::size_t>(i), ' ') + "<x";
    world.pass(1s);
  }
  EXPECT_EQ(world.count(log::Level::kWarning, "machine a: "), 3U);
}

TEST(ReconcilerLog, AGuestThatHangsAgainAndAgainDoesNotFillIt) {
  World world;
  world.add("a");
  world.configure("{interval: 1h, max-reconnects: 0, machines: {a: {devices: [{vendor-id: 0x046d}]}}}");
  world.snapshot({});
  for (int i = 0; i < 50; ++i) {
    world.plug_unanswered(webcam());
    world.take(DomainStalled{world.domains["a"].uuid});
    world.settle();
    world.unplug("1-1");
    world.pass(1s);
  }
  EXPECT_EQ(world.count(log::Level::kWarning, "machine a does not answer"), 3U);
}

TEST(Reconciler, AnswersThatWereNotAskedForAreViolations) {
  World world;
  world.configure(kWebcamToA);
  EXPECT_THROW(world.take(Result{99, Outcome::kDone, 0, "", 0}), Violation);
  EXPECT_THROW(world.take(XmlChunk{99, "<domain/>"}), Violation);
  EXPECT_THROW(world.take(DomainListed{{1, 1}, "a", true}), Violation);
}

}  // namespace
}  // namespace whawty
