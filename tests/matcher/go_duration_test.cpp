// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/go_duration.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <limits>

namespace whawty {
namespace {

struct Case {
  std::string text;
  std::int64_t nanoseconds;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << '"' << c.text << '"';
}

class GoDuration : public testing::TestWithParam<Case> {};

TEST_P(GoDuration, HasGosValue) {
  const auto parsed = parse_go_duration(GetParam().text);
  ASSERT_TRUE(std::holds_alternative<std::chrono::nanoseconds>(parsed))
      << std::get<DurationError>(parsed).message;
  EXPECT_EQ(std::get<std::chrono::nanoseconds>(parsed).count(), GetParam().nanoseconds);
}

constexpr std::int64_t kSecond = 1'000'000'000;

// Go's values, https://pkg.go.dev/time#ParseDuration.
INSTANTIATE_TEST_SUITE_P(
    Values, GoDuration,
    testing::Values(
        // every unit
        Case{"11ns", 11}, Case{"11us", 11'000}, Case{"12\u00b5s", 12'000}, Case{"12\u03bcs", 12'000},
        Case{"300ms", 300'000'000}, Case{"5s", 5 * kSecond}, Case{"2m", 120 * kSecond},
        Case{"3h", 10'800 * kSecond},
        // zero needs no unit
        Case{"0", 0}, Case{"+0", 0}, Case{"-0", 0}, Case{"0s", 0}, Case{"-0s", 0},
        // signs
        Case{"-5s", -5 * kSecond}, Case{"+5s", 5 * kSecond}, Case{"-1m30s", -90 * kSecond},
        // fractions, also without digits on one side of the point
        Case{"1.5h", 5400 * kSecond}, Case{"5.6s", 5'600'000'000},
        Case{"9007199254.740993ms", 9'007'199'254'740'993}, Case{"5.s", 5 * kSecond},
        Case{".5s", 500'000'000}, Case{"1.004s", 1'004'000'000}, Case{"0.1ns", 0}, Case{"0.9ns", 0},
        Case{"100.00100s", 100'001'000'000}, Case{"0.3333333333333333333h", 20 * 60 * kSecond},
        Case{"0.100000000000000000000h", 360 * kSecond}, Case{"0.9223372036854775807h", 3'320'413'933'267},
        Case{"0.830103483285477580700h", 2'988'372'539'827},
        // several parts, in any order, a unit twice
        Case{"1m30s", 90 * kSecond}, Case{"1h15m30.918s", 4'530'918'000'000},
        Case{"10.5s4m", 250'500'000'000}, Case{"1s1s", 2 * kSecond},
        Case{"1h2m3s4ms5us6ns", 3'723'004'005'006},
        // the limits
        Case{"9223372036854775807ns", std::numeric_limits<std::int64_t>::max()},
        Case{"9223372036854775.807us", std::numeric_limits<std::int64_t>::max()},
        Case{"9223372036s854ms775us807ns", std::numeric_limits<std::int64_t>::max()},
        Case{"-9223372036854775808ns", std::numeric_limits<std::int64_t>::min()},
        Case{"-9223372036854775.808us", std::numeric_limits<std::int64_t>::min()}));

struct BadCase {
  std::string text;
  std::string message;
};
void PrintTo(const BadCase& c, std::ostream* out) {
  *out << '"' << c.text << '"';
}

class NoGoDuration : public testing::TestWithParam<BadCase> {};

TEST_P(NoGoDuration, SaysWhy) {
  const auto parsed = parse_go_duration(GetParam().text);
  ASSERT_TRUE(std::holds_alternative<DurationError>(parsed));
  EXPECT_EQ(std::get<DurationError>(parsed).message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Messages, NoGoDuration,
    testing::Values(BadCase{"", "'' is not a duration"}, BadCase{"-", "'-' is not a duration"},
                    BadCase{"+", "'+' is not a duration"}, BadCase{"3", "3 has no unit"},
                    BadCase{"1.5", "1.5 has no unit"}, BadCase{"00", "00 has no unit"},
                    BadCase{"1m30", "30 has no unit"}, BadCase{"1.5.s", "1.5 has no unit"},
                    BadCase{"s", "'s' is not a number"}, BadCase{".", "'.' is not a number"},
                    BadCase{".s", "'.s' is not a number"}, BadCase{"+.s", "'.s' is not a number"},
                    BadCase{"--5s", "'-5s' is not a number"}, BadCase{" 5s", "' 5s' is not a number"},
                    BadCase{"5s ", "'s ' is not a unit"}, BadCase{"1d", "'d' is not a unit"},
                    BadCase{"5S", "'S' is not a unit"}, BadCase{"1s-5s", "'s-' is not a unit"},
                    BadCase{"1e3s", "'e' is not a unit"}, BadCase{"5\xffs", "'\\xffs' is not a unit"},
                    BadCase{"9223372036854775808ns", "'9223372036854775808ns' is too long"},
                    BadCase{"9223372036854775.808us", "'9223372036854775.808us' is too long"},
                    BadCase{"-9223372036854775809ns", "9223372036854775809ns is too long"},
                    BadCase{"3000000h", "3000000h is too long"},
                    BadCase{"99999999999999999999s", "99999999999999999999s is too long"},
                    BadCase{"9223372036854775808ns9223372036854775808ns",
                            "'9223372036854775808ns9223372036854775808ns' is too long"},
                    BadCase{"1000000h1000000h1000000h", "'1000000h1000000h1000000h' is too long"}));

}  // namespace
}  // namespace whawty
