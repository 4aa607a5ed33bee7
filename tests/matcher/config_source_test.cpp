// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/config_source.h"

#include <gmock/gmock.h>

namespace whawty {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ConfigSource, HasACaretBelowThePlace) {
  EXPECT_THAT(show_source("a: 1\nbus: '3'\n", {2, 6}), ElementsAre("bus: '3'", "     ^"));
  EXPECT_THAT(show_source("bus: 3\r\n", {1, 1}), ElementsAre("bus: 3", "^"));
  EXPECT_THAT(show_source("bus", {1, 99}), ElementsAre("bus", "   ^"));
}

TEST(ConfigSource, KeepsTheCaretBelowWhatItEscapes) {
  EXPECT_THAT(show_source("\ta\xc3\xa9\x1b: '\\d'", {1, 8}),
              ElementsAre(" a\\xc3\\xa9\\x1b: '\\d'", "                ^"));
}

TEST(ConfigSource, ShowsOfALongLineWhatIsAroundThePlace) {
  const std::string line = std::string(1000, 'a') + "!" + std::string(1000, 'b');
  EXPECT_THAT(show_source(line, {1, 1001}),
              ElementsAre("..." + std::string(60, 'a') + "!" + std::string(39, 'b') + "...",
                          std::string(63, ' ') + "^"));
}

TEST(ConfigSource, HasNothingToShowBeyondTheText) {
  EXPECT_THAT(show_source("", {1, 1}), IsEmpty());
  EXPECT_THAT(show_source("a\n", {2, 1}), IsEmpty());
  EXPECT_THAT(show_source("a\n", {3, 1}), IsEmpty());
}

TEST(ConfigSource, AValueKeepsItsBackslashes) {
  EXPECT_EQ(printable("^\\d+$", 80), "^\\d+$");
  EXPECT_EQ(printable("a\n\\", 80), "\"a\\x0a\\\\\"");
  EXPECT_EQ(printable("12345", 3), "123...");
}

}  // namespace
}  // namespace whawty
