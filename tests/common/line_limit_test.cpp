// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/line_limit.h"

#include <gtest/gtest.h>

#include "common/bounds.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

const LineLimit::Clock::time_point kStart{1000s};

// How many of so many lines at once are written.
int written(LineLimit& limit, int lines, LineLimit::Clock::time_point now,
            const std::string& subject = "port 1-1") {
  int count = 0;
  for (int i = 0; i < lines; ++i) count += limit.admit(subject, now) ? 1 : 0;
  return count;
}

TEST(LineLimit, ASubjectGetsThreeLinesAMinute) {
  LineLimit limit;
  EXPECT_EQ(written(limit, 100, kStart), 3);
  EXPECT_EQ(written(limit, 100, kStart + 60s - 1ns), 0);
}

TEST(LineLimit, WhatWasLeftOutIsSaidWhenTheMinuteIsOver) {
  LineLimit limit;
  written(limit, 10, kStart);
  EXPECT_EQ(limit.left_out(kStart + 59s), Lines{});
  EXPECT_EQ(limit.left_out(kStart + 60s), Lines{"7 more lines about port 1-1 were left out within a minute"});
  EXPECT_EQ(limit.left_out(kStart + 61s), Lines{}) << "once";
}

TEST(LineLimit, ThatIsOneOfTheNextMinutesThreeLines) {
  LineLimit limit;
  written(limit, 10, kStart);
  limit.left_out(kStart + 60s);
  EXPECT_EQ(written(limit, 100, kStart + 61s), 2);
}

TEST(LineLimit, ALastingFloodIsAtMostThreeLinesAMinute) {
  LineLimit limit;
  std::size_t lines = 0;
  for (int second = 0; second < 600; ++second) {
    lines += static_cast<std::size_t>(written(limit, 100, kStart + second * 1s));
    lines += limit.left_out(kStart + second * 1s).size();
  }
  EXPECT_EQ(lines, 30U);
}

TEST(LineLimit, OneLineThatWasLeftOutIsOneLine) {
  LineLimit limit;
  written(limit, 4, kStart);
  EXPECT_EQ(limit.left_out(kStart + 60s), Lines{"1 more line about port 1-1 was left out within a minute"});
}

TEST(LineLimit, ASlowSubjectLosesNothing) {
  LineLimit limit;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limit.admit("port 1-1", kStart + i * 30s));
  EXPECT_EQ(limit.left_out(kStart + 1h), Lines{});
}

TEST(LineLimit, SubjectsDoNotTakeEachOthersLines) {
  LineLimit limit;
  written(limit, 100, kStart);
  EXPECT_EQ(written(limit, 100, kStart, "port 1-2"), 3);
}

TEST(LineLimit, OfALongSubjectTheBeginningCounts) {
  LineLimit limit;
  const std::string beginning(LineLimit::kMaxSubject, 'x');
  EXPECT_EQ(written(limit, 2, kStart, beginning + "a") + written(limit, 2, kStart, beginning + "b"), 3);
  EXPECT_EQ(limit.left_out(kStart + 60s),
            Lines{"1 more line about " + beginning + "... was left out within a minute"});
}

TEST(LineLimit, SubjectsWithoutRoomShareOneUntilOthersAreForgotten) {
  LineLimit limit;
  for (std::size_t i = 0; i < kMaxSubjects; ++i) written(limit, 1, kStart, std::to_string(i));
  EXPECT_EQ(written(limit, 2, kStart, "a") + written(limit, 2, kStart, "b"), 3);
  EXPECT_EQ(limit.left_out(kStart + 60s),
            Lines{"1 more line about other subjects was left out within a minute"});
  EXPECT_EQ(written(limit, 2, kStart + 60s, "a") + written(limit, 2, kStart + 60s, "b"), 4);
}

}  // namespace
}  // namespace whawty
