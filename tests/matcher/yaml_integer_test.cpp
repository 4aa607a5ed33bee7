// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/yaml_integer.h"

#include <gmock/gmock.h>

#include <limits>

namespace whawty {
namespace {

struct Case {
  std::string text;
  std::int64_t value;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.text;
}

class YamlInteger : public testing::TestWithParam<Case> {};

TEST_P(YamlInteger, HasGoYamlsValue) {
  const auto parsed = parse_yaml_integer(GetParam().text);
  ASSERT_TRUE(std::holds_alternative<std::int64_t>(parsed));
  EXPECT_EQ(std::get<std::int64_t>(parsed), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    Values, YamlInteger,
    testing::Values(Case{"0", 0}, Case{"-0", 0}, Case{"42", 42}, Case{"+42", 42}, Case{"-42", -42},
                    Case{"0x1f", 31}, Case{"0X1F", 31}, Case{"-0x1f", -31}, Case{"0x0403", 0x403},
                    Case{"0o17", 15}, Case{"0O17", 15}, Case{"0b101", 5}, Case{"0B101", 5},
                    Case{"1_000", 1000}, Case{"1__0_", 10}, Case{"0x_04_6d", 0x46d},
                    Case{"9223372036854775808", std::numeric_limits<std::int64_t>::max()},
                    Case{"-9223372036854775809", std::numeric_limits<std::int64_t>::min()}));

struct LeadingZeroCase {
  const char* text;
  const char* digits;
  const char* value;
};

TEST(YamlInteger, KnowsALeadingZero) {
  for (const auto& [text, digits, value] :
       {LeadingZeroCase{"0403", "0403", "403"}, LeadingZeroCase{"010", "010", "10"},
        LeadingZeroCase{"-0077", "0077", "77"}, LeadingZeroCase{"0_403", "0403", "403"},
        LeadingZeroCase{"089", "089", "89"}}) {
    const auto parsed = parse_yaml_integer(text);
    ASSERT_TRUE(std::holds_alternative<LeadingZero>(parsed)) << text;
    EXPECT_EQ(std::get<LeadingZero>(parsed).digits, digits);
    EXPECT_EQ(std::get<LeadingZero>(parsed).value, value);
  }
}

TEST(YamlInteger, TakesZerosBeforeOneDigit) {
  for (const auto& [text, value] : {std::pair{"003", 3}, {"00", 0}, {"0008", 8}, {"-03", -3}, {"0_9", 9}}) {
    const auto parsed = parse_yaml_integer(text);
    ASSERT_TRUE(std::holds_alternative<std::int64_t>(parsed)) << text;
    EXPECT_EQ(std::get<std::int64_t>(parsed), value) << text;
  }
}

TEST(YamlInteger, TakesNothingElse) {
  for (const char* const text : {"",    "_",   "_1",   "+",   "-",   "--1", "+-1", "0x", "0x-1", "0xg",
                                 "0o8", "0b2", "046d", "1.0", "1e3", " 1",  "1 ",  "x",  "true", "0x1p3"})
    EXPECT_TRUE(std::holds_alternative<NotAnInteger>(parse_yaml_integer(text))) << '"' << text << '"';
}

}  // namespace
}  // namespace whawty
