// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// --observe: everything but the calls.
#include <csignal>

#include "system_test.h"

namespace whawty {
namespace {

using testing::IsEmpty;

class ObserveTest : public SystemTest {
 protected:
  void observe(const std::string& text) {
    write_config(text);
    libvirt_.start();
    daemon_.start({"--observe", "/run/etc/config.yml"});
    ASSERT_TRUE(daemon_.logs("using the configuration"));
  }
};

TEST_F(ObserveTest, WhatWouldBeDoneIsSaidOnceAndNotDone) {
  libvirt_.define("a");
  libvirt_.define("b");
  libvirt_.give("b", hostdev_of(webcam(6)));
  host_.plug(webcam(6));
  observe(config(wants("a", 5) + wants("b", 7), "20ms"));
  EXPECT_TRUE(daemon_.logs("observing: no device is attached or detached"));
  EXPECT_TRUE(
      daemon_.logs("matcher: WOULD detach 003/006 046d:0825 serial=CAM6 port=3-6 from b: no rule gives it"));
  plug(camera_);
  EXPECT_TRUE(daemon_.logs("matcher: WOULD attach 003/005 046d:0825 serial=CAM5 port=3-5 to a by a[0]"));
  const int rounds = libvirt_.listings();
  EXPECT_TRUE(eventually([&] { return libvirt_.listings() > rounds + 20; }));
  EXPECT_EQ(daemon_.lines_with("WOULD"), 2);
  reload();
  EXPECT_TRUE(eventually([&] { return daemon_.lines_with("WOULD") == 4; }));
  EXPECT_THAT(libvirt_.changes(), IsEmpty());
}

TEST_F(ObserveTest, WhoStopsObservingDoesIt) {
  libvirt_.define("a");
  host_.plug(camera_);
  observe(config(wants_all("a")));
  ASSERT_TRUE(daemon_.logs("WOULD attach 003/005"));
  daemon_.signal(SIGTERM);
  ASSERT_EQ(daemon_.wait(), 0);
  EXPECT_THAT(libvirt_.changes(), IsEmpty());
  daemon_.start({"/run/etc/config.yml"});
  EXPECT_TRUE(gets("a", camera_));
}

}  // namespace
}  // namespace whawty
