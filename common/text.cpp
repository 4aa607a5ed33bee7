// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/text.h"

#include <charconv>

namespace whawty {
namespace {

std::string padded(std::uint64_t value, int width, int base) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
  std::string text(digits, end);
  if (text.size() < static_cast<std::size_t>(width)) text.insert(0, static_cast<std::size_t>(width) - text.size(), '0');
  return text;
}

}  // namespace

std::string decimal(std::uint64_t value, int width) { return padded(value, width, 10); }

std::string hex(std::uint64_t value, int width) { return padded(value, width, 16); }

std::string escape(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      text += c;
    } else {
      text += "\\x";
      text += hex(byte, 2);
    }
  }
  return text;
}

std::string unescape(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    unsigned value = 0;
    const char* const digits = text.data() + i + 2;
    if (text.substr(i, 2) == "\\x" && text.size() - i >= 4 &&
        std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      bytes += static_cast<char>(value);
      i += 4;
    } else {
      bytes += text[i++];
    }
  }
  return bytes;
}

}  // namespace whawty
