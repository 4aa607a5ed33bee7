// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/rulebook.h"

#include <gmock/gmock.h>

#include "matcher/configuration/config_loader.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Machines a, b, ... with these rules, each as the configuration has it.
Rulebook rulebook(const std::vector<std::string>& machines) {
  std::string text = "machines: {";
  for (std::size_t i = 0; i < machines.size(); ++i)
    text += std::string(1, static_cast<char>('a' + i)) + ": {devices: [" + machines[i] + "]}, ";
  const auto loaded = load_config(std::vector{ConfigText{"config.yml", "", text + "}"}});
  if (const auto* const error = std::get_if<ConfigError>(&loaded)) throw std::runtime_error(error->message);
  return std::get<LoadedConfig>(loaded).config;
}

Device webcam() {
  Device device;
  device.sysname = "3-6.3";
  device.bus = 3;
  device.number = 5;
  device.vendor = 0x046d;
  device.properties = {{"ID_SERIAL_SHORT", "3187B60"}};
  return device;
}

TEST(Rulebook, TellsTheFirstRuleOfEachMachineThatMatches) {
  const Rulebook rules =
      rulebook({"{bus: 4}, {device: 5}, {bus: 3}", "{bus: 4}, {device: 6}", "{vendor-id: 0x046d}"});
  EXPECT_THAT(rules.claims(webcam()), ElementsAre(Claim{0, 1, {}}, Claim{2, 0, {}}));
}

TEST(Rulebook, TellsTheFirstThatGivesWhatTheHostIsUsing) {
  const std::string host = ", allow-host-device: true}";
  const Rulebook rules = rulebook({"{bus: 3}, {device: 5" + host + ", {vendor-id: 0x046d" + host,  //
                                   "{device: 6" + host + ", {bus: 3}",                             //
                                   "{bus: 3" + host});
  EXPECT_THAT(rules.claims(webcam()), ElementsAre(Claim{0, 0, 1}, Claim{1, 1, {}}, Claim{2, 0, 0}));
}

TEST(Rulebook, ComparesARuleWithoutAConditionThatItKnowsWithEachDevice) {
  Config config;
  config.machines = {Machine{"a", {Rule{}}}};
  EXPECT_THAT(Rulebook(config).claims(webcam()), ElementsAre(Claim{0, 0, {}}));
}

TEST(Rulebook, FindsMachinesByTheirNames) {
  const Rulebook rules = rulebook({"{bus: 3}", "{bus: 4}"});
  EXPECT_EQ(rules.find("b"), 1);
  EXPECT_EQ(rules.find("c"), std::nullopt);
  EXPECT_TRUE(rules.gives(0, webcam()));
  EXPECT_FALSE(rules.gives(1, webcam()));
}

TEST(Rulebook, LooksAgainAtADeviceThatChanged) {
  const Rulebook rules = rulebook({"{udev: {env: [{name: ID_SERIAL_SHORT, equals: 3187B60}]}}"});
  Device device = webcam();
  EXPECT_THAT(rules.claims(device), ElementsAre(Claim{0, 0, {}}));
  device.properties[0].value = "another";
  EXPECT_THAT(rules.claims(device), IsEmpty());
  device = webcam();
  EXPECT_THAT(rules.claims(device), ElementsAre(Claim{0, 0, {}}));
}

TEST(Rulebook, RemembersNoMoreThanItsBound) {
  Config config;
  config.machines.assign(1000, Machine{"a", {Rule{}}});
  for (Machine& machine : config.machines) machine.rules[0].bus = 3;
  const Rulebook rules(config);
  const std::size_t most = kMaxClaimsKept / 1000 + 1;  // devices
  Device device = webcam();
  for (std::size_t i = 0; i < 2 * most; ++i) {
    device.sysname = "3-" + std::to_string(i);
    EXPECT_THAT(rules.claims(device), testing::SizeIs(1000));
    EXPECT_LE(rules.remembered(), most);
  }
}

TEST(Rulebook, ForgetsWhatLeft) {
  const Rulebook rules = rulebook({"{bus: 3}"});
  EXPECT_THAT(rules.claims(webcam()), ElementsAre(Claim{0, 0, {}}));
  Device other = webcam();
  other.sysname = "3-2";
  EXPECT_THAT(rules.claims(other), ElementsAre(Claim{0, 0, {}}));
  rules.forget_others({{other.sysname, other}});
  EXPECT_EQ(rules.remembered(), 1);
}

}  // namespace
}  // namespace whawty
