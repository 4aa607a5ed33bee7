// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The bounds of a record are tested where it is decoded, in scanner_to_matcher_test.cpp.
#include "protocol/device.h"

#include <gtest/gtest.h>

namespace whawty {
namespace {

Device webcam() {
  Device device;
  device.sysname = "3-6.3";
  device.bus = 3;
  device.number = 5;
  device.vendor = 0x046d;
  device.properties = {{"A", "1"}};
  device.tags = {"seat"};
  device.current_tags = {"seat"};
  device.host_uses = {{HostUseKind::kMounted, "sdb1"}};
  return device;
}

TEST(Device, WithoutItsPropertiesItHasNoTagsAndAllElse) {
  Device device = webcam();
  omit_properties(device);
  Device expected = webcam();
  expected.properties = {};
  expected.tags = expected.current_tags = {};
  expected.properties_omitted = true;
  EXPECT_EQ(device, expected);
  EXPECT_LT(footprint(device), footprint(webcam()));
}

TEST(Device, WhatIsWrongWithItIsSaidOfTheFirstThing) {
  Device device = webcam();
  EXPECT_EQ(objection_to(device), "");
  device.tags = {""};
  EXPECT_EQ(objection_to(device), "a tag of a length out of bounds");
  device.bus = 0;
  EXPECT_EQ(objection_to(device), "a bus out of bounds");
  EXPECT_EQ(objection_to_sysname("3/6"), "a sysfs name that the kernel would not give");
}

}  // namespace
}  // namespace whawty
