// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/utf8.h"

#include <gmock/gmock.h>

namespace whawty {
namespace {

TEST(Utf8, CountsTheBytesOfTheFirstCharacter) {
  EXPECT_EQ(utf8_length("ab"), 1u);
  EXPECT_EQ(utf8_length(std::string_view("\0", 1)), 1u);
  EXPECT_EQ(utf8_length("\x7f"), 1u);
  EXPECT_EQ(utf8_length("\xc2\x80z"), 2u);
  EXPECT_EQ(utf8_length("\xdf\xbf"), 2u);
  EXPECT_EQ(utf8_length("\xe0\xa0\x80"), 3u);
  EXPECT_EQ(utf8_length("\xed\x9f\xbf"), 3u);
  EXPECT_EQ(utf8_length("\xee\x80\x80"), 3u);
  EXPECT_EQ(utf8_length("\xef\xbf\xbf"), 3u);
  EXPECT_EQ(utf8_length("\xf0\x90\x80\x80"), 4u);
  EXPECT_EQ(utf8_length("\xf4\x8f\xbf\xbf"), 4u);
}

TEST(Utf8, IsZeroForWhatIsNoCharacter) {
  EXPECT_EQ(utf8_length(""), 0u);
  EXPECT_EQ(utf8_length("\x80"), 0u) << "a continuation byte";
  EXPECT_EQ(utf8_length("\xc1\xbf"), 0u) << "overlong";
  EXPECT_EQ(utf8_length("\xe0\x9f\xbf"), 0u) << "overlong";
  EXPECT_EQ(utf8_length("\xf0\x8f\xbf\xbf"), 0u) << "overlong";
  EXPECT_EQ(utf8_length("\xed\xa0\x80"), 0u) << "a surrogate";
  EXPECT_EQ(utf8_length("\xf4\x90\x80\x80"), 0u) << "over U+10FFFF";
  EXPECT_EQ(utf8_length("\xf5\x80\x80\x80"), 0u) << "over U+10FFFF";
  EXPECT_EQ(utf8_length("\xe2\x82"), 0u) << "cut off";
  EXPECT_EQ(utf8_length("\xe2\x82z"), 0u) << "cut off";
  EXPECT_EQ(utf8_length("\xf1\x80\x80z"), 0u) << "cut off";
}

}  // namespace
}  // namespace whawty
