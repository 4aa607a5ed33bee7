// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the log says of devices that no rule wants: a line for each plug, and one number at the start and
// after a reload.
#include "tests/matcher/world.h"

namespace whawty {
namespace {

class UnwantedTest : public WorldTest {
 protected:
  std::size_t plugs(const std::string& device = "") const {
    return infos(device + " was plugged, and no rule wants it");
  }
};

const char kScaleToA[] = "a: vendor-id: 0x0922";

TEST_F(UnwantedTest, APlugIsSaidOnceWithWhatTheDeviceCallsItself) {
  Device camera = webcam();
  camera.properties = {
      {"ID_MODEL", "HD Webcam"}, {"ID_SERIAL_SHORT", "3187B60"}, {"ID_VENDOR", "Logi\ntech"}};
  begin({}, kScaleToA, "interval: 1s");
  plug(camera);
  EXPECT_EQ(plugs(R"(001/005 046d:0825 serial=3187B60 port=1-1 vendor="Logi\x0atech" model="HD Webcam")"),
            1U);
  pass(10s);
  snapshot({camera});
  camera.tags = {"uaccess"};
  plug(camera);
  plug(driven(camera));
  configure(kScaleToA);
  EXPECT_EQ(plugs(), 1U);
}

TEST_F(UnwantedTest, EachPlugIsOne) {
  begin({}, kScaleToA);
  plug(webcam());
  reconnect("1-1", webcam(6));
  EXPECT_EQ(plugs("001/005 046d:0825 serial=3187B60 port=1-1"), 1U);
  EXPECT_EQ(plugs("001/006 046d:0825 serial=3187B60 port=1-1"), 1U);
}

TEST_F(UnwantedTest, OneOfWhichNoEventCameIsSaidWhenItIsFound) {
  begin({webcam()}, kScaleToA);
  snapshot({webcam(), twin_of_webcam()});
  EXPECT_EQ(plugs("port=1-2"), 1U);
  EXPECT_EQ(plugs(), 1U);
}

TEST_F(UnwantedTest, WhatARuleWantsIsNot) {
  add("off", false);
  begin({}, "a: bus: 1; off: bus: 2");
  plug(webcam());
  plug(scale());
  EXPECT_EQ(plugs(), 0U);
}

TEST_F(UnwantedTest, NeitherIsAHubNorWhatNoGuestCanHave) {
  Device hub = device_at("1-3");
  hub.device_class = kHubClass;
  begin({}, kScaleToA);
  plug(hub);
  plug(device_at("1-4", 9, 0));
  EXPECT_EQ(plugs(), 0U);
}

TEST_F(UnwantedTest, OneThatDoesNotAnswerIsSaidWhenItDoes) {
  begin({}, kScaleToA);
  plug(silent(webcam()));
  EXPECT_EQ(plugs(), 0U);
  plug(webcam());
  EXPECT_EQ(plugs(), 1U);
}

TEST_F(UnwantedTest, WhatIsThereAtTheStartIsOneNumber) {
  begin({webcam(), twin_of_webcam(), scale(), device_at("1-4", 9, 0)}, kScaleToA, "interval: 1s");
  pass(10s);
  EXPECT_EQ(infos("of 3 USB devices, no rule wants 2"), 1U);
  EXPECT_EQ(infos("no rule wants"), 1U);
}

TEST_F(UnwantedTest, TheNumberIsSaidAgainAfterAReloadUnlessItIsNone) {
  begin({webcam()}, kScaleToA);
  EXPECT_EQ(infos("of 1 USB device, no rule wants 1"), 1U);
  configure(kScaleToA);
  EXPECT_EQ(infos("of 1 USB device, no rule wants 1"), 2U);
  configure(kWebcamToA);
  EXPECT_EQ(infos("no rule wants"), 2U);
}

TEST_F(UnwantedTest, OneThatComesBeforeAnythingCanBeDecidedIsSaidThenIfItIsStillThere) {
  snapshot({});
  plug_unanswered(webcam());
  plug_unanswered(twin_of_webcam());
  unplug_unanswered("1-2");
  configure(kScaleToA);
  EXPECT_EQ(plugs("port=1-1"), 1U);
  EXPECT_EQ(plugs(), 1U);
}

TEST_F(UnwantedTest, OneThatReconnectsAllTheTimeDoesNotFillTheLog) {
  begin({}, kScaleToA, "interval: 1h, max-reconnects: 0");
  for (std::uint16_t number = 1; number <= 59; ++number) {
    plug(webcam(number));
    pass(1s);
  }
  EXPECT_EQ(plugs(), 3U);
  pass(1min);
  plug(webcam(60));
  EXPECT_EQ(warnings("56 more lines about plugs at port 1-1 were left out within a minute"), 1U);
}

TEST_F(UnwantedTest, OneThatIsPutAsideIsSaidToBeThat) {
  begin({}, kScaleToA);
  for (std::uint16_t number = 1; number <= 15; ++number) reconnect("1-1", webcam(number));
  EXPECT_EQ(plugs(), 3U);
  EXPECT_EQ(warnings("it is put aside"), 1U);
}

}  // namespace
}  // namespace whawty
