// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/ping.h"

#include <gtest/gtest.h>

namespace whawty {
namespace {

class WakesTest : public testing::Test {
 protected:
  Wakes wakes_;
};

TEST_F(WakesTest, WhoWakesSaysSoOnceUntilItHasAnswered) {
  EXPECT_TRUE(wakes_.woke());
  EXPECT_FALSE(wakes_.woke());
  wakes_.asked();
  EXPECT_FALSE(wakes_.answered());
  EXPECT_TRUE(wakes_.woke());
  EXPECT_FALSE(wakes_.woke());
}

TEST_F(WakesTest, WhoIsAskedNeedNotSaySo) {
  wakes_.asked();
  EXPECT_FALSE(wakes_.woke());
  EXPECT_FALSE(wakes_.answered());
  EXPECT_TRUE(wakes_.woke());
}

// Those have answered before, and may hang after that.
TEST_F(WakesTest, WhoSetsOthersToWorkBeforeItAnswersSaysSoAfterThat) {
  wakes_.asked();
  wakes_.stirred();
  EXPECT_TRUE(wakes_.answered());
  EXPECT_FALSE(wakes_.woke()) << "it has said so";
  wakes_.asked();
  EXPECT_FALSE(wakes_.answered());
}

TEST_F(WakesTest, WhatWasSetToWorkBeforeThePingIsAskedByIt) {
  EXPECT_TRUE(wakes_.woke());
  wakes_.stirred();
  wakes_.asked();
  EXPECT_FALSE(wakes_.answered());
}

}  // namespace
}  // namespace whawty
