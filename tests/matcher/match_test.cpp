// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/match.h"

#include <gmock/gmock.h>

#include "matcher/decided/rulebook.h"
#include "tests/matcher/config_text.h"
#include "tests/values.h"

namespace whawty {
namespace {

Device the_webcam() {
  Device device = webcam(5, "3-6.3");
  device.properties = {{"DEVTYPE", "usb_device"},      {"EMPTY", ""},       {"ID_MODEL", "0825"},
                       {"ID_SERIAL_SHORT", "3187B60"}, {"RAW", "\xff\xfe"}, {"UMLAUT", "K\xc3\xb6ln"}};
  device.tags = {"seat", "some-tag"};
  device.current_tags = {"some-tag"};
  return device;
}

// Rules as the configuration has them, with bars between: "bus: 3, device: 5 | bus: 4".
Machine machine(const std::string& rules) {
  return config("guest: " + rules).machines.at(0);
}
// By itself, and among rules of two machines: both must come to the same.
bool fits(const std::string& rule, const Device& device = the_webcam()) {
  Config config;
  config.machines.assign(2, machine(rule + " | vendor-id: 1 | bus: 4, vendor-id: 2"));
  const bool fits = matches(config.machines[0].rules.at(0), device);
  const std::vector<Claim> both{{0, 0, {}}, {1, 0, {}}};
  EXPECT_EQ(Rulebook(config).claims(device), fits ? both : std::vector<Claim>());
  return fits;
}
std::string env(const std::string& conditions) {
  return "udev: {env: [{" + conditions + "}]}";
}

TEST(Match, NumbersAllHaveToBeTheDevices) {
  for (const char* const rule : {"bus: 3", "device: 5", "vendor-id: 0x046d", "product-id: 0x0825",
                                 "bus: 3, device: 5, vendor-id: 0x046d, product-id: 0x0825"})
    EXPECT_TRUE(fits(rule)) << rule;
  for (const char* const rule :
       {"bus: 4", "device: 6", "vendor-id: 0x046e", "product-id: 0x0826", "vendor-id: 0", "product-id: 0",
        "bus: 4, device: 5, vendor-id: 0x046d, product-id: 0x0825",
        "bus: 3, device: 6, vendor-id: 0x046d, product-id: 0x0825",
        "bus: 3, device: 5, vendor-id: 0x046d, product-id: 0x0826"})
    EXPECT_FALSE(fits(rule)) << rule;
}

TEST(Match, PropertiesAllHaveToHaveTheirValues) {
  for (const char* const conditions :
       {"name: ID_SERIAL_SHORT, equals: 3187B60", "name: EMPTY, equals: ''",
        "name: DEVTYPE, equals: usb_device", "name: ID_MODEL, equals: 0825}, {name: EMPTY, equals: ''"})
    EXPECT_TRUE(fits(env(conditions))) << conditions;
  for (const char* const conditions :
       {"name: ID_SERIAL_SHORT, equals: 3187B6", "name: ID_SERIAL_SHORT, equals: 3187b60",
        "name: ID_MODEL, equals: ''", "name: ID_MODEL, equals: 0825}, {name: EMPTY, equals: x"})
    EXPECT_FALSE(fits(env(conditions))) << conditions;
  EXPECT_FALSE(fits("bus: 4, " + env("name: ID_MODEL, equals: 0825")));
  EXPECT_FALSE(fits("bus: 3, " + env("name: ID_MODEL, equals: 1")));
}

TEST(Match, AVariableHasToBeThereWhateverIsAskedOfIt) {
  for (const char* const condition :
       {"name: ID_SERIA, equals: ''", "name: ID_SERIAL, pattern: ''", "name: ZZZ, pattern: ''"})
    EXPECT_FALSE(fits(env(condition))) << condition;
}

TEST(Match, APatternIsSearchedForAnywhere) {
  for (const char* const condition :
       {"name: ID_SERIAL_SHORT, pattern: 87B", "name: ID_MODEL, pattern: '^0825$'",
        "name: ID_MODEL, pattern: '^(08|09)\\d{2}$'", "name: ID_SERIAL_SHORT, pattern: '(?i)87b'"})
    EXPECT_TRUE(fits(env(condition))) << condition;
  for (const char* const condition :
       {"name: ID_SERIAL_SHORT, pattern: '^87B'", "name: ID_SERIAL_SHORT, pattern: 87b"})
    EXPECT_FALSE(fits(env(condition))) << condition;
}

TEST(Match, AnEmptyPatternIsFoundInEveryValue) {
  EXPECT_TRUE(fits(env("name: EMPTY, pattern: ''")));
  EXPECT_TRUE(fits(env("name: RAW, pattern: ''")));
  EXPECT_FALSE(fits(env("name: EMPTY, pattern: '.'")));
}

TEST(Match, APatternIsOfLettersAndAByteThatIsNotUtf8IsOneReplacement) {
  for (const char* const condition :
       {"name: UMLAUT, pattern: '^K.ln$'", "name: UMLAUT, pattern: '^K[\u00e4\u00f6]ln$'",
        "name: UMLAUT, pattern: '^K\\pLln$'", "name: UMLAUT, pattern: '(?i)^K\u00d6ln$'",
        "name: RAW, pattern: '^..$'", "name: RAW, pattern: '^\\x{FFFD}{2}$'"})
    EXPECT_TRUE(fits(env(condition))) << condition;
  EXPECT_FALSE(fits(env("name: RAW, pattern: '^.$'")));
}

TEST(Match, TagsAllHaveToBeThere) {
  for (const char* const rule :
       {"udev: {tags: [some-tag]}", "udev: {tags: [some-tag, seat]}", "udev: {current-tags: [some-tag]}",
        "udev: {tags: [seat], current-tags: [some-tag]}"})
    EXPECT_TRUE(fits(rule)) << rule;
  for (const char* const rule :
       {"udev: {tags: [some-tag, other]}", "udev: {tags: [some]}", "udev: {current-tags: [seat]}",
        "udev: {tags: [seat], current-tags: [seat]}", "bus: 4, udev: {tags: [seat]}"})
    EXPECT_FALSE(fits(rule)) << rule;
}

TEST(Match, ValuesAreComparedAsBytes) {
  Rule rule = machine(env("name: RAW, equals: x")).rules.at(0);
  rule.properties[0].equals = "\xff\xfe";
  EXPECT_TRUE(matches(rule, the_webcam()));
  rule.properties[0].equals = "\xef\xbf\xbd\xef\xbf\xbd";
  EXPECT_FALSE(matches(rule, the_webcam()));
}

TEST(Match, ADeviceWhosePropertiesWereOmittedLacksThem) {
  Device device = the_webcam();
  omit_properties(device);
  EXPECT_TRUE(fits("bus: 3", device));
  EXPECT_FALSE(fits("bus: 3, " + env("name: ID_MODEL, pattern: ''"), device));
}

TEST(Match, TheFirstConditionThatIsNotMetIsNamed) {
  using Kind = Condition::Kind;
  const std::string wrong =
      "bus: 4, device: 6, vendor-id: 1, product-id: 1, udev: {tags: [seat, x], current-tags: "
      "[x], env: [{name: EMPTY, equals: ''}, {name: UMLAUT, pattern: x}]}";
  Rule rule = machine(wrong).rules.at(0);
  EXPECT_EQ(first_unmet(rule, the_webcam()), Condition{Kind::kBus});
  rule.bus.reset();
  EXPECT_EQ(first_unmet(rule, the_webcam()), Condition{Kind::kDevice});
  rule.device.reset();
  EXPECT_EQ(first_unmet(rule, the_webcam()), Condition{Kind::kVendor});
  rule.vendor.reset();
  EXPECT_EQ(first_unmet(rule, the_webcam()), Condition{Kind::kProduct});
  rule.product.reset();
  EXPECT_EQ(first_unmet(rule, the_webcam()), (Condition{Kind::kTag, 1}));
  rule.tags = {"seat"};
  EXPECT_EQ(first_unmet(rule, the_webcam()), (Condition{Kind::kCurrentTag, 0}));
  rule.current_tags.clear();
  EXPECT_EQ(first_unmet(rule, the_webcam()), (Condition{Kind::kProperty, 1}));
  rule.properties.pop_back();
  EXPECT_EQ(first_unmet(rule, the_webcam()), std::nullopt);
}

// Backtracking would take years here, and an automaton without bounds gigabytes.
TEST(Match, AHostileValueCostsLittle) {
  std::string value(32 * 1024, 'a');
  for (std::size_t i = 0; i < value.size(); ++i)
    if ((i * i / 7) % 3 == 0) value[i] = 'b';
  Device device = the_webcam();
  device.properties = {{"A", value}};
  EXPECT_FALSE(fits(env("name: A, pattern: '(a|b)*a(a|b){30}c'"), device));
  EXPECT_FALSE(fits(env("name: A, pattern: '^(a+)+(b+)+$c'"), device));
}

}  // namespace
}  // namespace whawty
