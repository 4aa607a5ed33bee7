// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Text for messages: joining values, fixed-width numbers, and making hostile bytes printable.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>

namespace whawty {

// Joins values as operator<< prints them.
template <class... Values>
std::string concat(const Values&... values) {
  std::ostringstream out;
  (out << ... << values);
  return std::move(out).str();
}

// A number with leading zeros: decimal "003", hexadecimal "046d". Longer numbers keep all their digits.
std::string decimal(std::uint64_t value, int width);
std::string hex(std::uint64_t value, int width);

// A number of bytes: "64 KiB", "1 MiB", else as it is.
std::string size_text(std::uint64_t bytes);

// Printable ASCII stays as it is; every other byte, and the backslash, becomes \xHH. The result never holds a
// line break, a terminal sequence or broken UTF-8, and the bytes can be got back from it.
std::string escape(std::string_view bytes);

// Bytes for a log line that people copy values from: as they are if all are printable ASCII, else, or if they
// begin with a double quote, between double quotes with \\, \" and \xHH as in C. One line always, and never
// ambiguous.
std::string show(std::string_view bytes);

// The same for a place where a blank ends the value: one that holds a blank, or nothing, is between double
// quotes too.
std::string show_word(std::string_view bytes);

// The same for a name that stands in a sentence: one that holds a quote of either kind is quoted, too.
std::string show_name(std::string_view bytes);

}  // namespace whawty
