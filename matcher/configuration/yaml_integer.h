// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Integers as go-yaml reads them, but for zeros before several digits, which it takes for octal and people do
// not. Zeros before one digit, as lsusb prints them (003), mean the same in every reading.
// Syntax: https://pkg.go.dev/strconv#ParseInt with base 0, underscores dropped first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace whawty {

struct LeadingZero {
  std::string digits;  // as written, but for sign and underscores
  std::string value;   // without the leading zeros: two digits or more
};
struct NotAnInteger {};

// Decimal, 0x, 0o or 0b, with or without a sign. What 64 bits do not hold becomes the nearest number that
// they do.
std::variant<std::int64_t, LeadingZero, NotAnInteger> parse_yaml_integer(std::string_view text);

}  // namespace whawty
