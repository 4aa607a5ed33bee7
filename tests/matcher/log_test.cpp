// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the log is told. A fault that lasts, or a device that means harm, gets three lines a minute about each
// subject.
#include "tests/matcher/world.h"

namespace whawty {
namespace {

class LogTest : public WorldTest {};

TEST_F(LogTest, DebugModeListsDevicesAndGuests) {
  add("off", false);
  begin({webcam()});
  EXPECT_EQ(debugs("device 001/005 046d:0825"), 1U);
  EXPECT_EQ(debugs("  ID_SERIAL_SHORT = 3187B60"), 1U);
  EXPECT_EQ(debugs("guest a 00000000-0000-0007-0000-000000000001 running"), 1U);
  EXPECT_EQ(debugs("guest off 00000000-0000-0007-0000-000000000002 off"), 1U);
}

TEST_F(LogTest, DebugModeListsADeviceThatComesOrAnswersLaterThanTheScan) {
  begin({silent(device_at("1-1", 5))}, "");
  EXPECT_EQ(debugs("device "), 1U);
  EXPECT_EQ(debugs("  (it does not answer: nothing more is known of it)"), 1U);
  EXPECT_EQ(debugs("  ID_SERIAL_SHORT"), 0U);
  plug(webcam());
  EXPECT_EQ(debugs("device 001/005 046d:0825"), 2U);
  EXPECT_EQ(debugs("  ID_SERIAL_SHORT = 3187B60"), 1U);
  plug(webcam());
  EXPECT_EQ(debugs("device "), 2U) << "nothing is new";
}

TEST_F(LogTest, WhatStillIsIsSaidAgainAfterAReload) {
  a.hostdevs = {{1, 9, 0x0922, 0x8003}};
  const char kMachines[] = "a: bus: 1 | bus: 2; b: bus: 1";
  begin({webcam(), mounted(scale())}, kMachines, "foreign-devices: keep");
  for (std::size_t times = 1; times <= 2; ++times) {
    EXPECT_EQ(warnings("machine b also wants"), times);
    EXPECT_EQ(warnings("stays with the host"), times);
    EXPECT_EQ(warnings("machine a keeps the hostdev of 001/009 0922:8003, whose device left"), times);
    configure(kMachines, "foreign-devices: keep");
  }
}

TEST_F(LogTest, AConflictThatComesAndGoesDoesNotFillIt) {
  begin({webcam()}, "a: bus: 1; b: udev: {tags: [t]}");
  for (int i = 0; i < 100; ++i) {
    plug(i % 2 == 0 ? tagged(webcam(), {"t"}) : webcam());
    pass(500ms);
  }
  EXPECT_EQ(warnings("machine b also wants"), 3U);
  EXPECT_EQ(warnings(), 3U);
  pass(10s);
  plug(webcam());
  EXPECT_EQ(warnings("47 more lines about machine b and port 1-1 were left out within a minute"), 1U);
}

TEST_F(LogTest, AnAttachThatFailsUnderOneNumberAfterTheOtherDoesNotFillIt) {
  a.error = "internal error: No free USB ports";
  begin({}, kWebcamToA, "interval: 1h, max-reconnects: 0");
  for (std::uint16_t number = 1; number <= 59; ++number) {
    plug(webcam(number));
    pass(1s);
  }
  EXPECT_GE(calls.size(), 2U * 59);
  EXPECT_EQ(errors("cannot attach"), 3U);
  EXPECT_EQ(lines.size() - debugs(), 3U);
}

TEST_F(LogTest, AListOfDomainsThatCannotBeHadIsSaidOnceAndWhenItCanAgain) {
  begin({}, kWebcamToA, "interval: 100ms");
  list_error = "no memory";
  pass(60s);
  EXPECT_EQ(errors("listing the domains failed: no memory: trying again"), 1U);
  list_error.clear();
  pass(60s);
  EXPECT_EQ(infos("listing the domains works again"), 1U);
  EXPECT_EQ(errors(), 1U);
}

TEST_F(LogTest, AnXmlThatIsWrongInEverNewWaysDoesNotFillIt) {
  begin({}, kWebcamToA, "interval: 1s");
  event_unanswered("a");
  for (std::size_t i = 0; i < 59; ++i) {
    a.odd = std::string(i, ' ') + "<x";
    pass(1s);
  }
  EXPECT_EQ(warnings("machine a: "), 3U);
}

TEST_F(LogTest, AGuestThatHangsAgainAndAgainDoesNotFillIt) {
  begin({}, kWebcamToA, "interval: 1h, max-reconnects: 0");
  for (int i = 0; i < 50; ++i) {
    plug_unanswered(webcam());
    stall("a");
    settle();
    unplug("1-1");
    pass(1s);
  }
  EXPECT_EQ(warnings("machine a does not answer"), 3U);
}

}  // namespace
}  // namespace whawty
