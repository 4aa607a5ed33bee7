// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/yaml_integer.h"

#include <gmock/gmock.h>

#include <limits>
#include <tuple>

namespace whawty {
namespace {

using testing::VariantWith;

const std::pair<const char*, std::int64_t> kValues[] = {
    {"0", 0},     {"-0", 0},       {"42", 42},        {"+42", 42},         {"-42", -42}, {"0x1f", 31},
    {"0X1F", 31}, {"-0x1f", -31},  {"0x0403", 0x403}, {"0o17", 15},        {"0O17", 15}, {"0b101", 5},
    {"0B101", 5}, {"1_000", 1000}, {"1__0_", 10},     {"0x_04_6d", 0x46d}, {"003", 3},   {"00", 0},
    {"0008", 8},  {"-03", -3},     {"0_9", 9}};

TEST(YamlInteger, HasGoYamlsValue) {
  for (const auto& [text, value] : kValues)
    EXPECT_THAT(parse_yaml_integer(text), VariantWith<std::int64_t>(value)) << text;
  EXPECT_THAT(parse_yaml_integer("9223372036854775808"),
              VariantWith<std::int64_t>(std::numeric_limits<std::int64_t>::max()));
  EXPECT_THAT(parse_yaml_integer("-9223372036854775809"),
              VariantWith<std::int64_t>(std::numeric_limits<std::int64_t>::min()));
}

const std::tuple<const char*, const char*, const char*> kLeadingZeros[] = {{"0403", "0403", "403"},
                                                                           {"010", "010", "10"},
                                                                           {"-0077", "0077", "77"},
                                                                           {"0_403", "0403", "403"},
                                                                           {"089", "089", "89"}};

TEST(YamlInteger, KnowsALeadingZero) {
  for (const auto& [text, digits, value] : kLeadingZeros) {
    const auto parsed = parse_yaml_integer(text);
    ASSERT_TRUE(std::holds_alternative<LeadingZero>(parsed)) << text;
    EXPECT_EQ(std::get<LeadingZero>(parsed).digits, digits);
    EXPECT_EQ(std::get<LeadingZero>(parsed).value, value);
  }
}

TEST(YamlInteger, TakesNothingElse) {
  for (const char* const text : {"",    "_",   "_1",   "+",   "-",   "--1", "+-1", "0x", "0x-1", "0xg",
                                 "0o8", "0b2", "046d", "1.0", "1e3", " 1",  "1 ",  "x",  "true", "0x1p3"})
    EXPECT_TRUE(std::holds_alternative<NotAnInteger>(parse_yaml_integer(text))) << '"' << text << '"';
}

}  // namespace
}  // namespace whawty
