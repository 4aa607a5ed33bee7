// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What a text of the log is to be, and how it is read back: written from the log's own words, not from its
// code.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace whawty::fuzz {

inline bool is_a_printable_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// Nothing for two characters that are no lower-case hexadecimal number.
inline std::optional<char> byte_of(std::string_view digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (digits.size() != 2) return std::nullopt;
  const std::size_t high = kDigits.find(digits[0]);
  const std::size_t low = kDigits.find(digits[1]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

// The bytes of which escape() made the text. Nothing if it cannot have.
inline std::optional<std::string> unescaped(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (text[0] != '\\') {
      bytes += text[0];
      text.remove_prefix(1);
      continue;
    }
    const auto byte = text.starts_with("\\x") ? byte_of(text.substr(2, 2)) : std::nullopt;
    if (!byte) return std::nullopt;
    bytes += *byte;
    text.remove_prefix(4);
  }
  return bytes;
}

// Takes a value that show() or show_word() wrote off the front of a line. Between quotes it ends with the
// closing one, otherwise before the given text or with the line. Nothing for what they do not write.
inline std::optional<std::string> take_value(std::string_view& line, std::string_view end) {
  if (!line.starts_with('"')) {
    const std::string value(line.substr(0, end.empty() ? line.size() : line.find(end)));
    line.remove_prefix(value.size());
    return value;
  }
  std::string bytes;
  for (line.remove_prefix(1); !line.empty() && line[0] != '"';) {
    const bool hexadecimal = line.starts_with("\\x");
    const bool escaped = line[0] == '\\';
    const auto byte = hexadecimal ? byte_of(line.substr(2, 2))
                                  : std::optional(line.size() > 1 && escaped ? line[1] : line[0]);
    if (!byte || (escaped && !hexadecimal && *byte != '\\' && *byte != '"')) return std::nullopt;
    bytes += *byte;
    line.remove_prefix(hexadecimal ? 4 : escaped ? 2 : 1);
  }
  if (line.empty()) return std::nullopt;
  line.remove_prefix(1);
  return bytes;
}

// The bytes of a whole text that show() or show_word() wrote.
inline std::optional<std::string> unshown(std::string_view text) {
  const auto bytes = take_value(text, "");
  return text.empty() ? bytes : std::nullopt;
}

}  // namespace whawty::fuzz
