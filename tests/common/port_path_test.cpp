// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/port_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whawty {
namespace {

using testing::ElementsAre;

TEST(PortPath, BeginsAtTheHostsOwnHubAndEndsAtTheDevice) {
  EXPECT_THAT(ports_on_the_way_to("3-1.4.12"), ElementsAre("3-1", "3-1.4", "3-1.4.12"));
  EXPECT_THAT(ports_on_the_way_to("3-1"), ElementsAre("3-1"));
}

TEST(PortPath, ARootHubIsItsOwnPort) {
  EXPECT_THAT(ports_on_the_way_to("usb3"), ElementsAre("usb3"));
}

TEST(PortPath, ANameThatNoDeviceHasDoesNoHarm) {
  EXPECT_THAT(ports_on_the_way_to(""), ElementsAre(""));
  EXPECT_THAT(ports_on_the_way_to(".."), ElementsAre("", ".", ".."));
}

}  // namespace
}  // namespace whawty
