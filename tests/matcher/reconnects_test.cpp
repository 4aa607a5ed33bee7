// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Devices and hubs that come and go all the time.
#include "common/text.h"
#include "tests/matcher/world.h"

namespace whawty {
namespace {

class ReconnectsTest : public WorldTest {
 protected:
  // Webcams, all on bus 1, are one machine's, and bus 2 another's.
  void begin_with_two_buses() { begin({}, "a: vendor-id: 0x046d; b: bus: 2", "interval: 1s"); }

  // Plugs the webcam so many times, each time with the next number and after so long.
  void replug(int times, Clock::duration pause) {
    for (int i = 0; i < times; ++i) {
      pass(pause);
      plug(webcam(static_cast<std::uint16_t>(10 + i)));
      pass(pause);
      unplug("1-1");
    }
  }

  // Plugs a webcam into each of seven ports of the hub and unplugs it, and so on, each time with the next
  // number.
  void replug_in_turn(int times, Clock::duration pause, const std::string& hub = "1-1") {
    for (int i = 0; i < times; ++i) {
      const std::string port = concat(hub, '.', 1 + i % 7);
      plug(webcam(static_cast<std::uint16_t>(10 + i), port));
      pass(pause);
      unplug(port);
    }
  }

  // What is at port 1-1 gets nothing until half a minute after its last change; other root ports are served.
  void expect_put_aside_until_quiet() {
    plug(scale());
    EXPECT_EQ(calls.back(), "attach 2/7 b");
    plug(webcam(120));
    pass(29s);
    EXPECT_EQ(calls.back(), "attach 2/7 b");
    pass(1s);
    EXPECT_EQ(calls.back(), "attach 1/120 a");
  }
};

TEST_F(ReconnectsTest, ADeviceThatComesAndGoesAllTheTimeIsPutAsideUntilItIsQuiet) {
  begin_with_two_buses();
  replug(100, 250ms);
  EXPECT_EQ(calls.size(), 2U * (1 + 10)) << "each reconnect up to the limit, and no more";
  EXPECT_TRUE(a.hostdevs.empty());
  EXPECT_EQ(warnings("001/021 046d:0825 serial=3187B60 port=1-1 reconnected more than 10 times within a "
                     "minute: it is put aside until its port is quiet for 30 s"),
            1U);
  EXPECT_EQ(warnings(), 1U);
  expect_put_aside_until_quiet();
  EXPECT_EQ(infos("port 1-1 was quiet for 30 s: what is there is served again"), 1U);
}

TEST_F(ReconnectsTest, AHubThatReconnectsADeviceAtOnePortAfterTheOtherIsPutAsideUntilItIsQuiet) {
  begin_with_two_buses();
  replug_in_turn(100, 250ms);
  EXPECT_EQ(calls.size(), 2U * (7 + 40)) << "the first ones and so many reconnects";
  EXPECT_EQ(warnings("port 1-1: what is behind it reconnected more than 40 times within a minute: each port "
                     "behind it is put aside until that is quiet for 30 s"),
            1U);
  EXPECT_EQ(warnings(), 1U);
  expect_put_aside_until_quiet();
  EXPECT_EQ(infos("port 1-1 was quiet for 30 s: what is behind it is served again"), 1U);
}

TEST_F(ReconnectsTest, ADeviceBesideAHubThatDoesHarmIsServedAtOnce) {
  begin_with_two_buses();
  replug_in_turn(100, 250ms, "1-1.4");
  EXPECT_EQ(calls.size(), 2U * (7 + 40));
  EXPECT_EQ(warnings("port 1-1.4: what is behind it reconnected more than 40 times"), 1U);
  plug(webcam(120, "1-1.1"));
  EXPECT_EQ(calls.back(), "attach 1/120 a");
}

TEST_F(ReconnectsTest, APortOfAHubThatIsPutAsideIsServedWhenThatPortIsQuiet) {
  begin({});
  replug_in_turn(100, 250ms);
  plug(webcam(120, "1-1.1"));
  pass(20s);
  plug(webcam(121, "1-1.2"));
  calls.clear();
  pass(9s);
  EXPECT_EQ(calls, Calls{});
  pass(1s);
  EXPECT_EQ(calls, Calls{"attach 1/120 a"});
}

TEST_F(ReconnectsTest, TheSameRecordAgainIsNoneNorAreOtherProperties) {
  configure(kWebcamToA);
  for (int i = 0; i < 50; ++i) snapshot({tagged(webcam(), {concat("t", i / 2)})});
  EXPECT_EQ(warnings(), 0U);
  EXPECT_EQ(calls, Calls{"attach 1/5 a"});
}

TEST_F(ReconnectsTest, AnotherDeviceWithTheSameNumberIsOne) {
  begin({});
  for (std::uint64_t i = 0; i < 50; ++i) plug(with_digest(webcam(), {i}));
  EXPECT_EQ(warnings("is put aside"), 1U);
}

// It is told by its numbers first, and again when udev has processed it.
TEST_F(ReconnectsTest, ADeviceThatIsSlowToAnswerHasNoMoreThanAnyOther) {
  begin({});
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(warnings("is put aside"), 0U) << i;
    plug(silent(webcam()));
    unplug("1-1");
    plug(webcam());
    unplug("1-1");
  }
  EXPECT_EQ(warnings("is put aside"), 1U);
}

TEST_F(ReconnectsTest, WithoutALimitEachIsServed) {
  begin({}, kWebcamToA, "interval: 1h, max-reconnects: 0");
  replug(100, 10ms);
  replug_in_turn(100, 10ms);
  EXPECT_EQ(calls.size(), 400U);
}

TEST_F(ReconnectsTest, AReloadThatLiftsTheLimitServesWhatWasPutAside) {
  begin({});
  replug(20, 10ms);
  plug(webcam());
  EXPECT_EQ(calls.back().substr(0, 6), "detach");
  configure(kWebcamToA, "interval: 1h, max-reconnects: 0");
  EXPECT_EQ(calls.back(), "attach 1/5 a");
}

}  // namespace
}  // namespace whawty
