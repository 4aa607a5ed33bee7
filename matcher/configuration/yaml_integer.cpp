// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/yaml_integer.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

namespace whawty {
namespace {

int take_base(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  int base = 10;
  if (digits[1] == 'x' || digits[1] == 'X') base = 16;
  if (digits[1] == 'o' || digits[1] == 'O') base = 8;
  if (digits[1] == 'b' || digits[1] == 'B') base = 2;
  if (base != 10) digits.remove_prefix(2);
  return base;
}

bool all_decimal(std::string_view digits) {
  return digits.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::variant<std::int64_t, LeadingZero, NotAnInteger> parse_yaml_integer(std::string_view text) {
  // go-yaml does not take a text that starts with an underscore for a number.
  if (text.starts_with('_')) return NotAnInteger{};
  std::string plain(text);
  std::erase(plain, '_');
  std::string_view digits = plain;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.size() > 1 && digits[0] == '0' && all_decimal(digits)) {
    const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size() - 1);
    if (digits.size() - zeros > 1) return LeadingZero{std::string(digits), std::string(digits.substr(zeros))};
    digits.remove_prefix(zeros);
  }
  const int base = take_base(digits);
  // from_chars itself would take a further minus sign.
  if (digits.empty() || digits[0] == '-') return NotAnInteger{};
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size()) return NotAnInteger{};
  using Limits = std::numeric_limits<std::int64_t>;
  if (error == std::errc::result_out_of_range) return negative ? Limits::min() : Limits::max();
  return negative ? -value : value;
}

}  // namespace whawty
