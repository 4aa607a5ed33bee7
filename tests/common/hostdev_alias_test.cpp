// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/hostdev_alias.h"

#include <gtest/gtest.h>

namespace whawty {
namespace {

TEST(HostdevAliasTest, HoldsTheMarkAndTheOccasion) {
  EXPECT_EQ(hostdev_alias(0xab, 1'700'000'000'000'001), "ua-whawty-usb-00000000000000ab-1700000000000001");
  EXPECT_EQ(mark_in(hostdev_alias(0xab, 1)), 0xabU);
  EXPECT_EQ(mark_in(hostdev_alias(~0ULL, ~0ULL)), ~0ULL);
}

TEST(HostdevAliasTest, NoOtherTextHasAMark) {
  for (const char* const alias : {"", "hostdev0", "ua-whawty-usb-", "ua-whawty-usb-3-5-1700000000000001",
                                  "ua-whawty-usb-00000000000000ab", "ua-whawty-usb-00000000000000ag-1",
                                  "ua-whawty-usb--0000000000000ab-1", "ua-whawty-usb-0x000000000000ab-1",
                                  "ua-whawty-usb-00000000000000abc-1", "xua-whawty-usb-00000000000000ab-1"})
    EXPECT_EQ(mark_in(alias), std::nullopt) << alias;
}

}  // namespace
}  // namespace whawty
