// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/sha256.h"

#include <gtest/gtest.h>

namespace whawty {
namespace {

// Of FIPS 180-4's examples.
TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(to_string(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_string(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, ZerosInFrontAreThere) {
  EXPECT_EQ(to_string({1, 2, 3, 0xff}),
            "0000000000000001"
            "0000000000000002"
            "0000000000000003"
            "00000000000000ff");
}

}  // namespace
}  // namespace whawty
