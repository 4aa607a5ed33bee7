// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/proc_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(MountinfoTest, NamesDevicesByNumberAndByName) {
  const Mounted mounted = parse_mountinfo(
      "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
      "36 35 98:0 /mnt1 /mnt2\\040x rw,noatime master:1 propagate_from:2 - ext3 /dev/root "
      "rw,errors=continue\n"
      "40 22 0:52 / /data rw - btrfs /dev/sdb2 rw,space_cache=v2\n"
      "41 22 0:53 / /more rw - bcachefs /dev/sdc:/dev/cciss/c0d0 rw\n"
      "42 22 0:54 / /proc rw - proc proc rw\n"
      "43 22 253:0 / /crypt rw - xfs /dev/mapper/sdz rw\n");
  EXPECT_THAT(mounted.numbers, ElementsAre("0:52", "0:53", "0:54", "253:0", "254:1", "98:0"));
  EXPECT_THAT(mounted.names, ElementsAre("cciss!c0d0", "mapper!sdz", "root", "sdb2", "sdc", "vda1"));
}

TEST(MountinfoTest, AFieldCalledDashIsNotTheSeparatorBeforeTheSixth) {
  const Mounted mounted = parse_mountinfo("22 1 8:17 - - rw - ext4 /dev/sdb1 rw\n");
  EXPECT_THAT(mounted.numbers, IsEmpty());
}

TEST(MountinfoTest, NonsenseIsPassedOver) {
  for (const char* const text :
       {"", "\n", "-", "22 1 8:17", "22 1 8:17 / / rw -", "22 1 8:17 / / rw - ext4\n"})
    EXPECT_THAT(parse_mountinfo(text).numbers, IsEmpty()) << text;
}

TEST(SwapsTest, NamesPartitionsAndNoFiles) {
  EXPECT_THAT(parse_swaps("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
                          "/dev/sdb1                               partition\t1020\t\t0\t\t-2\n"
                          "/swapfile                               file\t\t1020\t\t0\t\t-3\n"
                          "/dev/shm/file                           file\t\t1020\t\t0\t\t-4\n"
                          "/dev/sdc\\040(deleted)                  partition\t1020\t\t0\t\t-5\n"),
              ElementsAre("sdb1", "sdc"));
  EXPECT_THAT(parse_swaps(""), IsEmpty());
}

constexpr const char* kHeader =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

TEST(RoutesTest, OnlyADefaultRouteThatLeadsSomewhereCounts) {
  const auto routes = [](const std::string& lines) { return parse_routes(kHeader + lines); };
  EXPECT_THAT(routes("eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"), ElementsAre("eth0"));
  EXPECT_THAT(routes("ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"), ElementsAre("ppp0"));
  EXPECT_THAT(routes("net\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"), IsEmpty());
  EXPECT_THAT(routes("half\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"), IsEmpty());
  EXPECT_THAT(routes("down\t00000000\t00000000\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"), IsEmpty());
  EXPECT_THAT(routes("*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n"), IsEmpty());
  EXPECT_THAT(routes("short\t00000000\t00000000\t0001\t0\t0\t0\n"), IsEmpty());
}

TEST(RoutesTest, OfIpv6Too) {
  const std::string none(32, '0');
  const auto route = [&](const std::string& to, const std::string& bits, const std::string& flags,
                         const std::string& interface) {
    return to + ' ' + bits + ' ' + none + " 00 fe80000000000000000000000000000a 00000400 00000001 00000000 " +
           flags + " " + interface + "\n";
  };
  const std::string somewhere = "2001" + std::string(28, '0');
  EXPECT_THAT(parse_ipv6_routes(route(none, "00", "00000003", "    eth0")), ElementsAre("eth0"));
  EXPECT_THAT(parse_ipv6_routes(route(none, "00", "00200200", "      lo")), IsEmpty());
  EXPECT_THAT(parse_ipv6_routes(route(none, "00", "00000001", "      lo")), IsEmpty());
  EXPECT_THAT(parse_ipv6_routes(route(none, "01", "00000003", "    eth0")), IsEmpty());
  EXPECT_THAT(parse_ipv6_routes(route(somewhere, "00", "00000003", "    eth0")), IsEmpty());
  EXPECT_THAT(parse_ipv6_routes(route(none, "00", "00000002", "    eth0")), IsEmpty());
  EXPECT_THAT(parse_ipv6_routes("nonsense\n"), IsEmpty());
}

// The bitmaps are those of real devices.
TEST(KeyboardTest, IsWhatHasAllKeysFromEscapeToD) {
  EXPECT_TRUE(is_keyboard("120013", "402000002 3803078f800d001 feffffdfffefffff fffffffffffffffe"));  // PS/2
  EXPECT_TRUE(is_keyboard("120013", "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"));
  EXPECT_TRUE(is_keyboard("120013", "ff fffffffe"));        // of a 32-bit kernel
  EXPECT_FALSE(is_keyboard("17", "1f0000 0 0 0 0"));        // a mouse
  EXPECT_FALSE(is_keyboard("3", "10000000000000 0"));       // a power button
  EXPECT_FALSE(is_keyboard("120013", "fffffffffffffffc"));  // all but Escape
  EXPECT_FALSE(is_keyboard("120013", "ffffffff7ffffffe"));  // all but D
  EXPECT_FALSE(is_keyboard("120011", "fffffffffffffffe"));  // no keys
  EXPECT_FALSE(is_keyboard("", ""));
  EXPECT_FALSE(is_keyboard("x", "fffffffffffffffg"));
}

}  // namespace
}  // namespace whawty
