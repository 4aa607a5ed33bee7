// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/rulebook.h"

#include <gmock/gmock.h>

#include "common/bounds.h"
#include "tests/matcher/config_text.h"
#include "tests/values.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Device kWebcam = webcam(5, "3-6.3");

TEST(Rulebook, TellsTheFirstRuleOfEachMachineThatMatches) {
  const Rulebook rules(config("a: bus: 4 | device: 5 | bus: 3; b: bus: 4 | device: 6; c: vendor-id: 0x046d"));
  EXPECT_THAT(rules.claims(kWebcam), ElementsAre(Claim{0, 1, {}}, Claim{2, 0, {}}));
}

TEST(Rulebook, TellsTheFirstThatGivesWhatTheHostIsUsing) {
  const std::string host = ", allow-host-device: true";
  const Rulebook rules(config("a: bus: 3 | device: 5" + host + " | vendor-id: 0x046d" + host +  //
                              "; b: device: 6" + host + " | bus: 3" +                           //
                              "; c: bus: 3" + host));
  EXPECT_THAT(rules.claims(kWebcam), ElementsAre(Claim{0, 0, 1}, Claim{1, 1, {}}, Claim{2, 0, 0}));
}

TEST(Rulebook, ComparesARuleWithoutAConditionThatItKnowsWithEachDevice) {
  Config config;
  config.machines = {Machine{"a", {Rule{}}}};
  EXPECT_THAT(Rulebook(config).claims(kWebcam), ElementsAre(Claim{0, 0, {}}));
}

TEST(Rulebook, FindsMachinesByTheirNames) {
  const Rulebook rules(config("a: bus: 3; b: bus: 4"));
  EXPECT_EQ(rules.find("b"), 1);
  EXPECT_EQ(rules.find("c"), std::nullopt);
  EXPECT_TRUE(rules.gives(0, kWebcam));
  EXPECT_FALSE(rules.gives(1, kWebcam));
}

TEST(Rulebook, LooksAgainAtADeviceThatChanged) {
  const Rulebook rules(config("a: udev: {env: [{name: ID_SERIAL_SHORT, equals: 3187B60}]}"));
  Device device = kWebcam;
  EXPECT_THAT(rules.claims(device), ElementsAre(Claim{0, 0, {}}));
  device.properties[0].value = "another";
  EXPECT_THAT(rules.claims(device), IsEmpty());
  device = kWebcam;
  EXPECT_THAT(rules.claims(device), ElementsAre(Claim{0, 0, {}}));
}

TEST(Rulebook, RemembersNoMoreThanItsBound) {
  Config config;
  config.machines.assign(1000, Machine{"a", {Rule{}}});
  for (Machine& machine : config.machines) machine.rules[0].bus = 3;
  const Rulebook rules(config);
  const std::size_t most = kMaxClaimsKept / 1000 + 1;  // devices
  Device device = kWebcam;
  for (std::size_t i = 0; i < 2 * most; ++i) {
    device.sysname = "3-" + std::to_string(i);
    EXPECT_THAT(rules.claims(device), testing::SizeIs(1000));
    EXPECT_LE(rules.remembered(), most);
  }
}

TEST(Rulebook, ForgetsWhatLeft) {
  const Rulebook rules(config("a: bus: 3"));
  EXPECT_THAT(rules.claims(kWebcam), ElementsAre(Claim{0, 0, {}}));
  Device other = kWebcam;
  other.sysname = "3-2";
  EXPECT_THAT(rules.claims(other), ElementsAre(Claim{0, 0, {}}));
  rules.forget_others({{other.sysname, other}});
  EXPECT_EQ(rules.remembered(), 1);
}

}  // namespace
}  // namespace whawty
