// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Integers as go-yaml reads them, but for a leading zero, which it takes for octal and people do not.
// Syntax: https://pkg.go.dev/strconv#ParseInt with base 0, underscores dropped first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace whawty {

struct LeadingZero {
  std::string digits;  // as written, but for sign and underscores
  std::string value;   // without the leading zeros, not empty
};
struct NotAnInteger {};

// Decimal, 0x, 0o or 0b, with or without a sign. What 64 bits do not hold becomes the nearest number that
// they do.
std::variant<std::int64_t, LeadingZero, NotAnInteger> parse_yaml_integer(std::string_view text);

}  // namespace whawty
