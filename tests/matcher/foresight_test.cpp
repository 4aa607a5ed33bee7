// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Where nothing is done, what would be: all of it, not only the first step.
#include "matcher/decided/foresight.h"

#include <gmock/gmock.h>

#include "common/text.h"
#include "tests/matcher/config_text.h"
#include "tests/values.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

DomainView guest(std::uint64_t number, const std::string& name,
                 const std::vector<LiveHostdev>& hostdevs = {}) {
  return {{0, number}, name, hostdevs, true};
}
LiveHostdev held(const Device& device) {
  return {hostdev_of(device), true, {}};
}

class ForesightTest : public testing::Test {
 protected:
  // In the order in which they are named: "-5 a", the number of a device and a guest.
  std::vector<std::string> changes(std::initializer_list<Device> devices,
                                   const std::vector<DomainView>& guests, const std::string& machines) {
    DeviceMap map;
    for (const Device& device : devices) map[device.sysname] = device;
    foreseen = foresee(map, guests, config(machines));
    const auto name_of = [&](const Uuid& uuid) { return guests.at(uuid.low).name; };
    std::vector<std::string> words;
    for (const Detach& one : foreseen.detaches)
      words.push_back(concat('-', one.hostdev.device, ' ', name_of(one.domain)));
    for (const Attach& one : foreseen.attaches)
      words.push_back(concat('+', map.at(one.sysname).number, ' ', name_of(one.domain)));
    return words;
  }

  Plan foreseen;
};

TEST_F(ForesightTest, WhereThePlanAsksForNothingNothingIsForeseen) {
  EXPECT_THAT(changes({webcam()}, {guest(0, "a", {held(webcam())})}, kWebcamToA), IsEmpty());
}

TEST_F(ForesightTest, AMoveIsForeseenWithBothItsSteps) {
  EXPECT_THAT(changes({webcam()}, {guest(0, "a", {held(webcam())}), guest(1, "b")}, "b: bus: 1; a: bus: 9"),
              ElementsAre("-5 a", "+5 b"));
  EXPECT_THAT(foreseen.conflicts, IsEmpty());
}

TEST_F(ForesightTest, WhoWouldHaveADeviceKeepsItFromTheOthers) {
  EXPECT_THAT(changes({webcam()}, {guest(0, "a", {held(webcam())}), guest(1, "b"), guest(2, "c")},
                      "b: bus: 1; c: bus: 1; a: bus: 9"),
              ElementsAre("-5 a", "+5 b"));
  EXPECT_EQ(foreseen.conflicts, (std::vector<Conflict>{{"1-1", "c", 0, "b"}}));
}

TEST_F(ForesightTest, WhatMustBeGoneBeforeAnAttachIsGone) {
  LiveHostdev missing{by_ids(webcam()), false, {}};
  missing.missing = true;
  EXPECT_THAT(changes({scale()}, {guest(0, "a", {missing})}, "a: bus: 2"), ElementsAre("-0 a", "+7 a"));
  EXPECT_THAT(foreseen.empties, IsEmpty());
}

TEST_F(ForesightTest, ADeviceThatConnectedAnewIsTakenAndGivenOnce) {
  DomainView a = guest(0, "a", {held(webcam())});
  a.orphans = {hostdev_of(webcam())};
  EXPECT_THAT(changes({webcam()}, {a}, kWebcamToA), ElementsAre("-5 a", "+5 a"));
}

TEST_F(ForesightTest, OfTwoKeyboardsOneStays) {
  EXPECT_THAT(changes({keyboard(webcam()), keyboard(scale())}, {guest(0, "a"), guest(1, "b")},
                      "a: bus: 1; b: bus: 2"),
              ElementsAre("+5 a"));
  EXPECT_THAT(foreseen.refusals, SizeIs(1));
}

TEST_F(ForesightTest, WhatWasPutAsideIsNotGiven) {
  const DeviceMap map{{"1-1", webcam()}};
  EXPECT_THAT(foresee(map, {guest(0, "a")}, config(kWebcamToA), {"1-1"}).attaches, IsEmpty());
}

}  // namespace
}  // namespace whawty
