// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/text.h"

#include <algorithm>
#include <charconv>

namespace whawty {
namespace {

std::string padded(std::uint64_t value, int width, int base) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
  std::string text(digits, end);
  if (text.size() < static_cast<std::size_t>(width))
    text.insert(0, static_cast<std::size_t>(width) - text.size(), '0');
  return text;
}

bool is_printable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f;
}

// As in C: \\, \" and \xHH.
std::string quoted(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    if (!is_printable(c)) {
      text += "\\x" + hex(static_cast<unsigned char>(c), 2);
      continue;
    }
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text + '"';
}

}  // namespace

std::string decimal(std::uint64_t value, int width) {
  return padded(value, width, 10);
}

std::string hex(std::uint64_t value, int width) {
  return padded(value, width, 16);
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kKibi = 1024;
  if (bytes != 0 && bytes % (kKibi * kKibi) == 0) return concat(bytes / (kKibi * kKibi), " MiB");
  if (bytes != 0 && bytes % kKibi == 0) return concat(bytes / kKibi, " KiB");
  return concat(bytes, bytes == 1 ? " byte" : " bytes");
}

std::string escape(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    if (is_printable(c) && c != '\\') {
      text += c;
    } else {
      text += "\\x" + hex(static_cast<unsigned char>(c), 2);
    }
  }
  return text;
}

std::string show(std::string_view bytes) {
  const bool plain = std::all_of(bytes.begin(), bytes.end(), is_printable) && !bytes.starts_with('"');
  return plain ? std::string(bytes) : quoted(bytes);
}

std::string show_name(std::string_view bytes) {
  return bytes.find_first_of("\"'") != std::string_view::npos ? quoted(bytes) : show_word(bytes);
}

std::string show_word(std::string_view bytes) {
  return bytes.empty() || bytes.find(' ') != std::string_view::npos ? quoted(bytes) : show(bytes);
}

}  // namespace whawty
