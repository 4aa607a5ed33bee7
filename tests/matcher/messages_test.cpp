// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/said/messages.h"

#include <gtest/gtest.h>

#include "tests/values.h"

namespace whawty {
namespace {

TEST(Messages, AHostdevIsNamedByTheNumbersThatItHas) {
  EXPECT_EQ(name_of(hostdev_of(webcam())), "001/005 046d:0825");
  EXPECT_EQ(name_of(by_address(webcam())), "001/005");
  EXPECT_EQ(name_of(by_ids(webcam())), "046d:0825");
}

TEST(Messages, WhatADeviceOrLibvirtSaysOfItselfIsOneLine) {
  EXPECT_EQ(name_of(with_serial(webcam(), "a\nb")), "001/005 046d:0825 serial=\"a\\x0ab\" port=1-1");
  EXPECT_EQ(failure_text({1, Outcome::kFailed, 1, "a\nb", 10}), "libvirt says: a\\x0ab");
}

}  // namespace
}  // namespace whawty
