// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/text_layout.h"

#include <gmock/gmock.h>

#include <clocale>

#include "tool/json.h"

namespace whawty {
namespace {

constexpr Style kAscii{};
constexpr Style kUnicode{.unicode = true};

class Layout : public testing::Test {
 protected:
  Layout() { std::setlocale(LC_CTYPE, "C.UTF-8"); }
};

TEST_F(Layout, OnlyWhatATerminalShowsIsLeftAsItIs) {
  for (const auto& [bytes, shown] : {
           std::pair<std::string, std::string>{"Webcam C270", "Webcam C270"},
           {"a\x1b[2Jb", "a\\x1b[2Jb"},
           {"a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f"},
           {"back\\slash", "back\\x5cslash"},
           {"摄像头", "摄像头"},
           {"Köln", "Köln"},
           {"\xff\xc3", "\\xff\\xc3"},
           {"\xc2\x9b", "\\xc2\\x9b"},  // a control character of Latin-1
           {"a\xe2\x80\xae"
            "b",
            "a\\xe2\\x80\\xaeb"},  // right to left from here
           {"a\xe2\x80\x8b"
            "b",
            "a\\xe2\\x80\\x8bb"},                             // no width
           {"a\xc2\xa0\xc2\xa0z", "a\\xc2\\xa0\\xc2\\xa0z"},  // blanks that are no blanks
           {"\xe1\x9a\x80", "\\xe1\\x9a\\x80"},
           {"\xd8\x80\xdb\x9d\xdc\x8f", "\\xd8\\x80\\xdb\\x9d\\xdc\\x8f"},  // what follows stands in them
           {"\xe0\xa2\x90\xe0\xa3\xa2", "\\xe0\\xa2\\x90\\xe0\\xa3\\xa2"},
           {"\xf0\x91\x82\xbd\xf0\x91\x83\x8d", "\\xf0\\x91\\x82\\xbd\\xf0\\x91\\x83\\x8d"},
           {"e\xcc\x81", "e\\xcc\\x81"},           // an accent on what is before it
           {"a\xee\x80\x80", "a\\xee\\x80\\x80"},  // of private use
       })
    EXPECT_EQ(clean(bytes, kUnicode), shown);
  EXPECT_EQ(clean("摄", kAscii), "\\xe6\\x91\\x84");
}

TEST_F(Layout, ChineseLettersTakeTwoColumns) {
  EXPECT_EQ(columns_of("摄像头"), 6U);
  EXPECT_EQ(columns_of("Köln"), 4U);
  EXPECT_EQ(cut("摄像头", 5, kUnicode), "摄像…");
  EXPECT_EQ(cut("摄像头", 4, kUnicode), "摄…");
  EXPECT_EQ(cut("abc", 3, kAscii), "abc");
  EXPECT_EQ(cut("abcd", 3, kAscii), "ab~");
}

TEST_F(Layout, ATableHasItsColumnsBelowEachOther) {
  EXPECT_EQ(table({{"A", "NAME", "B"}, {"1", "摄像头", "x"}, {"22", "abc", "y"}}, {1, 1}, kUnicode),
            "A   NAME    B\n1   摄像头  x\n22  abc     y\n");
}

TEST_F(Layout, WhatTellsMostIsCutLast) {
  const std::vector<std::vector<std::string>> rows{{"A", "NAME", "STATE"},
                                                   {"1234567890", "1234567890", "guest webcam-test"}};
  EXPECT_EQ(table(rows, {1, 1}, {.width = 39}),
            "A           NAME      STATE\n1234567890  1234567~  guest webcam-test\n");
  EXPECT_EQ(table(rows, {1, 1}, {.width = 30}),
            "A           NAME     STATE\n1234567890  123456~  guest we~\n");
}

TEST_F(Layout, ALongLineGoesOnBelowFurtherToTheRight) {
  EXPECT_EQ(wrapped("  one two three four\nshort\n", {.width = 12}),
            "  one two\n      three\n      four\nshort\n");
  EXPECT_EQ(wrapped("averyverylongword x\n", {.width = 10}), "averyverylongword x\n");
  EXPECT_EQ(wrapped("as it is\n", {}), "as it is\n");
}

TEST(JsonText, IsAsciiWhateverADeviceSays) {
  EXPECT_EQ(Json::of("a\"\\\n\x7f\xff摄\xf0\x9f\x94\x8c").text(),
            "\"a\\\"\\\\\\u000a\\u007f\\ufffd\\u6444\\ud83d\\udd0c\"");
  EXPECT_EQ(Json::object({{"a", Json::list({Json::of(1), Json::of(true), Json()})}}).text(),
            "{\"a\": [1, true, null]}");
}

}  // namespace
}  // namespace whawty
