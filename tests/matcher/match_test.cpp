// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/match.h"

#include <gmock/gmock.h>

#include "matcher/configuration/config_loader.h"
#include "matcher/decided/rulebook.h"

namespace whawty {
namespace {

// A rule as the configuration has it, without the dash: "bus: 3, device: 5".
Machine machine(const std::string& rules) {
  const ConfigText file{"config.yml", "", "machines: {guest: {devices: [" + rules + "]}}"};
  const auto loaded = load_config(std::vector{file});
  if (const auto* const error = std::get_if<ConfigError>(&loaded)) throw std::runtime_error(error->message);
  return std::get<LoadedConfig>(loaded).config.machines.at(0);
}

Device webcam() {
  Device device;
  device.sysname = "3-6.3";
  device.bus = 3;
  device.number = 5;
  device.vendor = 0x046d;
  device.product = 0x0825;
  device.properties = {{"DEVTYPE", "usb_device"},      {"EMPTY", ""},       {"ID_MODEL", "0825"},
                       {"ID_SERIAL_SHORT", "3187B60"}, {"RAW", "\xff\xfe"}, {"UMLAUT", "K\xc3\xb6ln"}};
  device.tags = {"seat", "some-tag"};
  device.current_tags = {"some-tag"};
  return device;
}

struct Case {
  std::string rule;
  bool matches;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.rule;
}

class MatchTest : public testing::TestWithParam<Case> {};

TEST_P(MatchTest, TheWebcam) {
  EXPECT_EQ(matches(machine("{" + GetParam().rule + "}").rules.at(0), webcam()), GetParam().matches);
}

TEST_P(MatchTest, TheWebcamAmongOtherRules) {
  const Machine guest = machine("{" + GetParam().rule + "}, {vendor-id: 1}, {bus: 4, vendor-id: 2}");
  Config config;
  config.machines = {guest, guest};
  const Claim first{0, 0, {}}, second{1, 0, {}};
  EXPECT_EQ(Rulebook(config).claims(webcam()),
            GetParam().matches ? std::vector({first, second}) : std::vector<Claim>());
}

INSTANTIATE_TEST_SUITE_P(
    Numbers, MatchTest,
    testing::Values(Case{"bus: 3", true}, Case{"bus: 4", false},                          //
                    Case{"device: 5", true}, Case{"device: 6", false},                    //
                    Case{"vendor-id: 0x046d", true}, Case{"vendor-id: 0x046e", false},    //
                    Case{"product-id: 0x0825", true}, Case{"product-id: 0x0826", false},  //
                    Case{"vendor-id: 0", false}, Case{"product-id: 0", false},
                    Case{"bus: 3, device: 5, vendor-id: 0x046d, product-id: 0x0825", true},
                    Case{"bus: 4, device: 5, vendor-id: 0x046d, product-id: 0x0825", false},
                    Case{"bus: 3, device: 6, vendor-id: 0x046d, product-id: 0x0825", false},
                    Case{"bus: 3, device: 5, vendor-id: 0x046d, product-id: 0x0826", false}));

INSTANTIATE_TEST_SUITE_P(
    Properties, MatchTest,
    testing::Values(Case{"udev: {env: [{name: ID_SERIAL_SHORT, equals: 3187B60}]}", true},
                    Case{"udev: {env: [{name: ID_SERIAL_SHORT, equals: 3187B6}]}", false},
                    Case{"udev: {env: [{name: ID_SERIAL_SHORT, equals: 3187b60}]}", false},
                    Case{"udev: {env: [{name: EMPTY, equals: ''}]}", true},
                    Case{"udev: {env: [{name: ID_MODEL, equals: ''}]}", false},
                    // the variable must exist, whatever is asked of it
                    Case{"udev: {env: [{name: ID_SERIA, equals: ''}]}", false},
                    Case{"udev: {env: [{name: ID_SERIAL, pattern: ''}]}", false},
                    Case{"udev: {env: [{name: ZZZ, pattern: ''}]}", false},
                    Case{"udev: {env: [{name: DEVTYPE, equals: usb_device}]}", true},
                    // all must hold
                    Case{"udev: {env: [{name: ID_MODEL, equals: 0825}, {name: EMPTY, equals: ''}]}", true},
                    Case{"udev: {env: [{name: ID_MODEL, equals: 0825}, {name: EMPTY, equals: x}]}", false},
                    Case{"bus: 4, udev: {env: [{name: ID_MODEL, equals: 0825}]}", false},
                    Case{"bus: 3, udev: {env: [{name: ID_MODEL, equals: 1}]}", false}));

INSTANTIATE_TEST_SUITE_P(Patterns, MatchTest,
                         testing::Values(
                             // searched for anywhere
                             Case{"udev: {env: [{name: ID_SERIAL_SHORT, pattern: 87B}]}", true},
                             Case{"udev: {env: [{name: ID_SERIAL_SHORT, pattern: '^87B'}]}", false},
                             Case{"udev: {env: [{name: ID_MODEL, pattern: '^0825$'}]}", true},
                             Case{"udev: {env: [{name: ID_MODEL, pattern: '^(08|09)\\d{2}$'}]}", true},
                             Case{"udev: {env: [{name: ID_SERIAL_SHORT, pattern: 87b}]}", false},
                             Case{"udev: {env: [{name: ID_SERIAL_SHORT, pattern: '(?i)87b'}]}", true},
                             // found in every value, also in an empty one
                             Case{"udev: {env: [{name: EMPTY, pattern: ''}]}", true},
                             Case{"udev: {env: [{name: RAW, pattern: ''}]}", true},
                             Case{"udev: {env: [{name: EMPTY, pattern: '.'}]}", false},
                             // letters, not bytes
                             Case{"udev: {env: [{name: UMLAUT, pattern: '^K.ln$'}]}", true},
                             Case{"udev: {env: [{name: UMLAUT, pattern: '^K[\u00e4\u00f6]ln$'}]}", true},
                             Case{"udev: {env: [{name: UMLAUT, pattern: '^K\\pLln$'}]}", true},
                             Case{"udev: {env: [{name: UMLAUT, pattern: '(?i)^K\u00d6ln$'}]}", true},
                             // a byte that is not UTF-8 is one U+FFFD
                             Case{"udev: {env: [{name: RAW, pattern: '^..$'}]}", true},
                             Case{"udev: {env: [{name: RAW, pattern: '^.$'}]}", false},
                             Case{"udev: {env: [{name: RAW, pattern: '^\\x{FFFD}{2}$'}]}", true}));

INSTANTIATE_TEST_SUITE_P(Tags, MatchTest,
                         testing::Values(Case{"udev: {tags: [some-tag]}", true},
                                         Case{"udev: {tags: [some-tag, seat]}", true},
                                         Case{"udev: {tags: [some-tag, other]}", false},
                                         Case{"udev: {tags: [some]}", false},
                                         Case{"udev: {current-tags: [some-tag]}", true},
                                         Case{"udev: {current-tags: [seat]}", false},
                                         Case{"udev: {tags: [seat], current-tags: [some-tag]}", true},
                                         Case{"udev: {tags: [seat], current-tags: [seat]}", false},
                                         Case{"bus: 4, udev: {tags: [seat]}", false}));

TEST(Matches, ComparesValuesAsBytes) {
  Machine guest = machine("{udev: {env: [{name: RAW, equals: x}]}}");
  guest.rules[0].properties[0].equals = "\xff\xfe";
  EXPECT_TRUE(matches(guest.rules[0], webcam()));
  guest.rules[0].properties[0].equals = "\xef\xbf\xbd\xef\xbf\xbd";
  EXPECT_FALSE(matches(guest.rules[0], webcam()));
}

TEST(Matches, ADeviceWhosePropertiesWereOmittedLacksThem) {
  Device device = webcam();
  device.properties.clear();
  device.properties_omitted = true;
  EXPECT_TRUE(matches(machine("{bus: 3}").rules[0], device));
  EXPECT_FALSE(matches(machine("{bus: 3, udev: {env: [{name: ID_MODEL, pattern: ''}]}}").rules[0], device));
}

// Backtracking would take years here, and an automaton without bounds gigabytes.
TEST(Matches, AHostileValueCostsLittle) {
  Device device = webcam();
  std::string value(32 * 1024, 'a');
  for (std::size_t i = 0; i < value.size(); ++i)
    if ((i * i / 7) % 3 == 0) value[i] = 'b';
  device.properties = {{"A", value}};
  EXPECT_FALSE(matches(machine("{udev: {env: [{name: A, pattern: '(a|b)*a(a|b){30}c'}]}}").rules[0], device));
  EXPECT_FALSE(matches(machine("{udev: {env: [{name: A, pattern: '^(a+)+(b+)+$c'}]}}").rules[0], device));
}

}  // namespace
}  // namespace whawty
