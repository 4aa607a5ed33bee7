// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/go_duration.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "common/text.h"

namespace whawty {
namespace {

constexpr std::size_t kExcerpt = 80;  // bytes

// A part of the text as messages show it: the micro sign is not printable ASCII.
std::string excerpt(std::string_view text) {
  return escape(text.substr(0, kExcerpt)) + (text.size() > kExcerpt ? "..." : "");
}

constexpr std::uint64_t kLimit = std::uint64_t{1}
                                 << 63;  // ns, the magnitude of the longest negative duration

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};
constexpr Unit kUnits[] = {
    {"ns", 1},          {"us", 1'000},        {"\u00b5s", 1'000},  // micro sign
    {"\u03bcs", 1'000},                                            // Greek letter mu
    {"ms", 1'000'000},  {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
};

std::string_view take_digits(std::string_view& rest) {
  const std::size_t end = rest.find_first_not_of("0123456789");
  const std::string_view digits = rest.substr(0, end);
  rest.remove_prefix(digits.size());
  return digits;
}

std::optional<std::uint64_t> whole_number(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kLimit - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

// The digits after the point, as nanoseconds of the unit. Digits that no longer fit 63 bits are left out:
// they are less than a nanosecond. The order of the floating-point operations is Go's, which is what makes
// the results equal.
std::uint64_t fraction(std::string_view digits, std::uint64_t unit) {
  std::uint64_t value = 0;
  double scale = 1;
  for (const char c : digits) {
    if (value > (kLimit - 1) / 10) break;
    const std::uint64_t next = value * 10 + static_cast<std::uint64_t>(c - '0');
    if (next > kLimit) break;
    value = next;
    scale *= 10;
  }
  return static_cast<std::uint64_t>(static_cast<double>(value) * (static_cast<double>(unit) / scale));
}

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : kUnits)
    if (unit.name == name) return &unit;
  return nullptr;
}

// One number with its unit, taken from the front of rest.
std::variant<std::uint64_t, DurationError> take_part(std::string_view& rest) {
  const std::string_view part = rest;
  const std::string_view whole = take_digits(rest);
  std::string_view decimals;
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    decimals = take_digits(rest);
  }
  if (whole.empty() && decimals.empty())
    return DurationError{concat('\'', excerpt(part), "' is not a number")};
  const std::string_view number = part.substr(0, part.size() - rest.size());
  const std::string_view name = rest.substr(0, rest.find_first_of(".0123456789"));
  rest.remove_prefix(name.size());
  if (name.empty()) return DurationError{concat(excerpt(number), " has no unit")};
  const Unit* const unit = find_unit(name);
  if (unit == nullptr) return DurationError{concat('\'', excerpt(name), "' is not a unit")};
  const std::optional<std::uint64_t> value = whole_number(whole);
  if (!value || *value > kLimit / unit->nanoseconds)
    return DurationError{concat(excerpt(number), escape(name), " is too long")};
  return *value * unit->nanoseconds + fraction(decimals, unit->nanoseconds);
}

}  // namespace

std::variant<std::chrono::nanoseconds, DurationError> parse_go_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest[0] == '-';
  if (negative || (!rest.empty() && rest[0] == '+')) rest.remove_prefix(1);
  if (rest == "0") return std::chrono::nanoseconds(0);
  if (rest.empty()) return DurationError{concat('\'', excerpt(text), "' is not a duration")};
  std::uint64_t total = 0;
  while (!rest.empty()) {
    const auto part = take_part(rest);
    if (const auto* const error = std::get_if<DurationError>(&part)) return *error;
    const std::uint64_t nanoseconds = std::get<std::uint64_t>(part);
    if (nanoseconds > kLimit - total) return DurationError{concat('\'', excerpt(text), "' is too long")};
    total += nanoseconds;
  }
  if (negative) return std::chrono::nanoseconds(static_cast<std::int64_t>(-total));
  if (total == kLimit) return DurationError{concat('\'', excerpt(text), "' is too long")};
  return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

}  // namespace whawty
