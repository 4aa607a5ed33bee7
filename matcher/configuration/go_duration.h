// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Durations as Go's time.ParseDuration reads them, with the same result to the nanosecond.
// Syntax: https://pkg.go.dev/time#ParseDuration
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

namespace whawty {

struct DurationError {
  std::string message;  // why it is none, e.g. "5 has no unit", printable
};

// "300ms", "-1.5h", "1m30s"; "0" alone needs no unit. Up to 2^63 - 1 ns, some 292 years.
std::variant<std::chrono::nanoseconds, DurationError> parse_go_duration(std::string_view text);

}  // namespace whawty
