// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace whawty {
namespace {

// Gives the bytes back that escape() or, without its quotes, show() were given.
std::string decoded(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
    } else if (text.at(++i) != 'x') {
      bytes += text[i];
    } else {
      bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    }
  }
  return bytes;
}

std::string shown_bytes(const std::string& text) {
  return text.starts_with('"') ? decoded(std::string_view(text).substr(1, text.size() - 2)) : text;
}

bool is_printable_line(const std::string& text) {
  for (const char c : text)
    if (c < 0x20 || c > 0x7e) return false;
  return true;
}

TEST(TextTest, EveryByteComesBackFromItsEscapeAndIsOnOneLine) {
  for (int value = 0; value < 256; ++value) {
    SCOPED_TRACE(value);
    const std::string byte(1, static_cast<char>(value));
    for (const std::string& bytes :
         {byte, "a" + byte, byte + "a", byte + byte, "\\x" + byte, byte + "\"\\"}) {
      EXPECT_TRUE(is_printable_line(escape(bytes)));
      EXPECT_EQ(decoded(escape(bytes)), bytes);
      EXPECT_TRUE(is_printable_line(show(bytes)));
      EXPECT_EQ(shown_bytes(show(bytes)), bytes);
    }
    const bool printable = value >= 0x20 && value <= 0x7e;
    EXPECT_EQ(escape(byte) == byte, printable && byte != "\\");
    EXPECT_EQ(show(byte) == byte, printable && byte != "\"");
  }
}

TEST(TextTest, EscapesByExample) {
  EXPECT_EQ(escape(""), "");
  EXPECT_EQ(escape("3187B60"), "3187B60");
  EXPECT_EQ(escape("a\nb\x1b[2J\x7f\\"), "a\\x0ab\\x1b[2J\\x7f\\x5c");
  EXPECT_EQ(escape("\xc3\xa4"), "\\xc3\\xa4");
}

TEST(TextTest, ShowsByExample) {
  EXPECT_EQ(show(""), "");
  EXPECT_EQ(show("C:\\x \"quoted\""), "C:\\x \"quoted\"");
  EXPECT_EQ(show("\"quoted\""), "\"\\\"quoted\\\"\"");
  EXPECT_EQ(show(std::string("a\\b\0c", 5)), "\"a\\\\b\\x00c\"");
}

TEST(TextTest, NumbersHaveAWidth) {
  EXPECT_EQ(decimal(3, 3), "003");
  EXPECT_EQ(decimal(0, 1), "0");
  EXPECT_EQ(decimal(1234, 3), "1234");
  EXPECT_EQ(hex(0x46d, 4), "046d");
  EXPECT_EQ(hex(0xabcdef, 4), "abcdef");
  EXPECT_EQ(decimal(std::numeric_limits<std::uint64_t>::max(), 0), "18446744073709551615");
}

TEST(TextTest, ConcatJoins) {
  EXPECT_EQ(concat("a", 1, ' ', std::string("b"), 7U), "a1 b7");
}

TEST(ShowName, IsTheNameAsItIsOrBetweenQuotesIfItsEndWouldNotBeSeen) {
  EXPECT_EQ(show_name("webcam-test"), "webcam-test");
  EXPECT_EQ(show_name("a[0]:b\\c"), "a[0]:b\\c");
  EXPECT_EQ(show_name("a also wants b"), "\"a also wants b\"");
  EXPECT_EQ(show_name("a\"b"), "\"a\\\"b\"");
  EXPECT_EQ(show_name("it's"), "\"it's\"");
  EXPECT_EQ(show_name("K\xc3\xb6ln"), "\"K\\xc3\\xb6ln\"");
  EXPECT_EQ(show_name(""), "\"\"");
}

TEST(Text, ASizeIsWholeInItsUnit) {
  EXPECT_EQ(size_text(0), "0 bytes");
  EXPECT_EQ(size_text(1), "1 byte");
  EXPECT_EQ(size_text(1023), "1023 bytes");
  EXPECT_EQ(size_text(64 * 1024), "64 KiB");
  EXPECT_EQ(size_text(1024 * 1024), "1 MiB");
  EXPECT_EQ(size_text(1024 * 1024 + 1024), "1025 KiB");
}

}  // namespace
}  // namespace whawty
