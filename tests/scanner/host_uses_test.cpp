// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/host_uses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <ostream>

#include "common/bounds.h"
#include "fake_host.h"

namespace whawty {

void PrintTo(const HostUse& use, std::ostream* out) {
  *out << static_cast<int>(use.kind) << ' ' << use.name;
}

namespace {

using namespace std::chrono_literals;
using enum HostUseKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kDisk = "1-2";
const std::string kPort = "devices/pci0/1-2/1-2:1.0/";
const std::string kIdle = "1 0 8 1 0 0 0 0 0 1 1";

class HostUsesTest : public testing::Test {
 protected:
  HostUsesTest() {
    host_.plug(fake::device("1-2", 1, 2));
    host_.plug(fake::device("1-3", 1, 3));
  }

  std::vector<HostUse> uses(const std::string& sysname = "1-2") {
    look_.look(now_);
    return look_.of(sysname);
  }

  void attribute(const std::string& path, const std::string& content) {
    std::filesystem::create_directories(std::filesystem::path("/sys/" + path).parent_path());
    std::ofstream("/sys/" + path) << content << '\n';
  }

  fake::Host host_;
  ProcFiles files_{fake::Host::kProc};
  HostUses look_{files_};
  HostUses::Clock::time_point now_{1000s};
};

class DiskTest : public HostUsesTest {
 protected:
  DiskTest() { host_.show_disk(kDisk); }

  void write_counters(const std::string& counters) {
    attribute(kPort + "host3/target3:0:0/block/sdb/sdb1/stat", counters);
  }
};

TEST_F(DiskTest, ADiskAloneIsNotInUse) {
  EXPECT_THAT(uses(), IsEmpty());
}

TEST_F(DiskTest, IsInUseByTheNumberThatIsMounted) {
  host_.mount({{"8:17", "/dev/disk/by-label/STICK"}});
  EXPECT_THAT(uses(), ElementsAre(HostUse{kMounted, "sdb1"}));
  EXPECT_THAT(uses("1-3"), IsEmpty());
}

TEST_F(DiskTest, IsInUseByTheNameThatIsMounted) {
  host_.mount({{"0:60", "/dev/sdb"}});
  EXPECT_THAT(uses(), ElementsAre(HostUse{kMounted, "sdb"}));
}

TEST_F(DiskTest, TheDiskOfAnotherIsNot) {
  host_.mount({{"8:1", "/dev/sda1"}, {"8:170", "/dev/sdb10"}});
  EXPECT_THAT(uses(), IsEmpty());
}

TEST_F(DiskTest, IsInUseByAFileSystemThatShowsItselfInSysfs) {
  std::filesystem::create_directories("/sys/fs/xfs/sdb1");
  EXPECT_THAT(uses(), ElementsAre(HostUse{kMounted, "sdb1"}));
}

TEST_F(DiskTest, IsInUseAsOneOfSeveralOfABtrfs) {
  attribute("fs/btrfs/5f1c/devices/sdb/size", "1");
  attribute("fs/btrfs/features/skinny", "1");
  EXPECT_THAT(uses(), ElementsAre(HostUse{kMounted, "sdb"}));
}

TEST_F(DiskTest, IsInUseAsSwap) {
  host_.write_list("swaps", "Filename Type Size Used Priority\n/dev/sdb1 partition 1020 0 -2\n");
  EXPECT_THAT(uses(), ElementsAre(HostUse{kSwap, "sdb1"}));
}

TEST_F(DiskTest, IsInUseByAHolder) {
  attribute(kPort + "host3/target3:0:0/block/sdb/holders/md0", "");
  attribute(kPort + "host3/target3:0:0/block/sdb/sdb1/holders/dm-0", "");
  EXPECT_THAT(uses(), ElementsAre(HostUse{kHeld, "sdb"}, HostUse{kHeld, "sdb1"}));
}

TEST_F(DiskTest, UsesAreTheirOwnersWhateverHangsBetween) {
  host_.plug(fake::device("1-3.4", 1, 4));  // behind a hub, which is its neighbour here
  host_.show("block", "mmcblk0", "devices/pci0/1-3.4/1-3.4:1.0/rtsx.1/mmc_host/mmc0/mmc0:1/block/mmcblk0",
             {{"dev", "179:0"}});
  host_.mount({{"179:0", "none"}});
  EXPECT_THAT(uses("1-3.4"), ElementsAre(HostUse{kMounted, "mmcblk0"}));
  EXPECT_THAT(uses("1-3"), IsEmpty());
}

TEST_F(DiskTest, MoreUsesThanARecordHoldsAreCut) {
  for (int i = 0; i < 30; ++i) {
    const std::string name = "sdb" + std::to_string(i);
    host_.show("block", name, kPort + "block/" + name, {{"dev", "8:17"}});
  }
  host_.mount({{"8:17", "none"}});
  EXPECT_THAT(uses(), SizeIs(kMaxHostUses));
}

TEST_F(DiskTest, AListOfMountsThatCannotBeReadMakesEveryUsbDiskOneInUse) {
  for (const std::string& list : {std::string(), std::string("\n"), std::string(kMaxProcList + 1, '\n')}) {
    host_.write_list("self/mountinfo", list);
    EXPECT_THAT(uses(), ElementsAre(HostUse{kUnknown, "sdb"}, HostUse{kUnknown, "sdb1"}));
  }
}

TEST_F(DiskTest, AListAsLongAsAllowedIsRead) {
  host_.mount({{"8:17", "none"}});
  std::string list;
  std::getline(std::ifstream(std::string(fake::Host::kProc) + "/self/mountinfo"), list, '\0');
  host_.write_list("self/mountinfo", std::string(kMaxProcList - list.size(), '\n') + list);
  EXPECT_THAT(uses(), ElementsAre(HostUse{kMounted, "sdb1"}));
}

TEST_F(DiskTest, AListOfSwapThatIsTooLongMakesThemUnknown) {
  host_.write_list("swaps", std::string(kMaxProcList + 1, '\n'));
  EXPECT_THAT(uses(), ElementsAre(HostUse{kUnknown, "sdb"}, HostUse{kUnknown, "sdb1"}));
}

TEST_F(DiskTest, AnUnmountedDiskIsInUseUntilItHasBeenStillForAWhile) {
  host_.mount({{"8:17", "none"}});
  uses();
  host_.mount();
  now_ += 1s;
  EXPECT_THAT(uses(), ElementsAre(HostUse{kSettling, "sdb1"}));
  EXPECT_EQ(look_.next(now_), now_ + HostUses::kSettlingInterval);
  now_ += HostUses::kQuiet - 1ms;
  EXPECT_THAT(uses(), ElementsAre(HostUse{kSettling, "sdb1"}));
  now_ += 1ms;
  EXPECT_THAT(uses(), IsEmpty());
  EXPECT_EQ(look_.next(now_), now_ + HostUses::kLookInterval);
}

// No event tells of a mount in a mount namespace of its own.
TEST_F(DiskTest, IsLookedAtNowAndThenAsLongAsItIsThere) {
  uses();
  EXPECT_EQ(look_.next(now_), now_ + HostUses::kLookInterval);
  host_.hide("block", "sdb1");
  host_.hide("block", "sdb");
  uses();
  EXPECT_EQ(look_.next(now_), HostUses::Clock::time_point::max());
}

TEST_F(DiskTest, WhatIsWrittenToAnUnmountedDiskIsWaitedFor) {
  host_.mount({{"8:17", "none"}});
  uses();
  host_.mount();
  for (int i = 0; i < 5; ++i) {
    write_counters("1 0 8 1 " + std::to_string(i) + " 0 0 0 0 1 1");
    now_ += 1s;
    EXPECT_THAT(uses(), ElementsAre(HostUse{kSettling, "sdb1"}));
  }
  now_ += HostUses::kQuiet;
  EXPECT_THAT(uses(), IsEmpty());
}

TEST_F(DiskTest, ARequestThatIsUnderWayIsWaitedForHoweverLong) {
  host_.mount({{"8:17", "none"}});
  uses();
  host_.mount();
  write_counters("1 0 8 1 0 0 0 0 2 1 1");
  for (int i = 0; i < 5; ++i) {
    now_ += 10s;
    EXPECT_THAT(uses(), ElementsAre(HostUse{kSettling, "sdb1"}));
  }
  write_counters(kIdle);
  uses();
  now_ += HostUses::kQuiet;
  EXPECT_THAT(uses(), IsEmpty());
}

class InterfaceTest : public HostUsesTest {
 protected:
  InterfaceTest() {
    host_.show("net", "usb0", kPort + "net/usb0");
    host_.show("net", "eth0", "devices/pci1/net/eth0");
  }

  void route_by(const std::string& interface) {
    host_.write_list("self/net/route", "Iface Destination Gateway Flags RefCnt Use Metric Mask\n" +
                                           interface + " 00000000 0102A8C0 0003 0 0 0 00000000 0 0 0\n");
  }

  // An interface of its own kind that is made of another one.
  void put_above(const std::string& upper, const std::string& lower) {
    host_.show("net", upper, "devices/virtual/net/" + upper);
    std::filesystem::create_directories("/sys/class/net/" + lower + "/upper_" + upper);
  }

  ProcFiles opened() {
    route_by("eth0");
    host_.write_list("self/net/ipv6_route", "");
    return ProcFiles(fake::Host::kProc);
  }

  ProcFiles files_ = opened();
  HostUses look_{files_};

  std::vector<HostUse> uses(const std::string& sysname = "1-2") {
    look_.look(now_);
    return look_.of(sysname);
  }
};

TEST_F(InterfaceTest, OneWithoutADefaultRouteIsNotInUse) {
  EXPECT_THAT(uses(), IsEmpty());
}

TEST_F(InterfaceTest, OneWithADefaultRouteIs) {
  route_by("usb0");
  EXPECT_THAT(uses(), ElementsAre(HostUse{kDefaultRoute, "usb0"}));
  EXPECT_THAT(uses("1-3"), IsEmpty());
}

TEST_F(InterfaceTest, OneWithADefaultRouteOfIpv6Is) {
  const std::string none(32, '0');
  host_.write_list("self/net/ipv6_route",
                   none + " 00 " + none + " 00 " + none + " 00000400 00000001 00000000 00000003     usb0\n");
  EXPECT_THAT(uses(), ElementsAre(HostUse{kDefaultRoute, "usb0"}));
}

TEST_F(InterfaceTest, OneBelowABridgeOnABondWithTheDefaultRouteIs) {
  put_above("bond0", "usb0");
  put_above("bond0.7", "bond0");
  put_above("br0", "bond0.7");
  EXPECT_THAT(uses(), IsEmpty());
  route_by("br0");
  EXPECT_THAT(uses(), ElementsAre(HostUse{kDefaultRoute, "usb0"}));
}

TEST_F(InterfaceTest, OneThatLosesItsDefaultRouteForAMomentStaysInUse) {
  route_by("usb0");
  EXPECT_THAT(uses(), ElementsAre(HostUse{kDefaultRoute, "usb0"}));
  route_by("eth0");
  now_ += HostUses::kRouteGrace - std::chrono::milliseconds(1);
  EXPECT_THAT(uses(), ElementsAre(HostUse{kDefaultRoute, "usb0"}));
  now_ += std::chrono::milliseconds(1);
  EXPECT_THAT(uses(), IsEmpty());
}

TEST_F(InterfaceTest, IsLookedAtAgainWhenALostRouteNoLongerCounts) {
  route_by("usb0");
  uses();
  EXPECT_EQ(look_.next(now_), HostUses::Clock::time_point::max());
  const auto lost = now_;
  route_by("eth0");
  now_ += std::chrono::seconds(3);
  uses();
  EXPECT_EQ(look_.next(now_), lost + HostUses::kRouteGrace);
}

TEST_F(InterfaceTest, TheWayUpEnds) {
  std::string below = "usb0";
  for (int i = 1; i <= 9; ++i)
    put_above("v" + std::to_string(i), std::exchange(below, "v" + std::to_string(i)));
  put_above("v1", "v9");  // round and round
  route_by("v8");
  EXPECT_THAT(uses(), ElementsAre(HostUse{kDefaultRoute, "usb0"}));
  now_ += HostUses::kRouteGrace;
  route_by("v9");
  EXPECT_THAT(uses(), IsEmpty());
}

TEST_F(InterfaceTest, RoutesThatCannotBeReadMakeEveryUsbInterfaceOneInUse) {
  host_.write_list("self/net/ipv6_route", std::string(kMaxProcList + 1, '\n'));
  EXPECT_THAT(uses(), ElementsAre(HostUse{kUnknown, "usb0"}));
}

class KeyboardUseTest : public HostUsesTest {
 protected:
  KeyboardUseTest() { host_.show("graphics", "fb0", "devices/pci1/graphics/fb0"); }

  void keyboard(const std::string& name, const std::string& path, const std::string& key = "fffffffe") {
    host_.show("input", name, path + "/input/" + name,
               {{"capabilities/ev", "120013"}, {"capabilities/key", key}});
  }
  void usb_keyboard() { keyboard("input5", kPort + "0003:1"); }
  bool in_use() { return !uses().empty(); }
};

TEST_F(KeyboardUseTest, OneAtALocalConsoleIs) {
  usb_keyboard();
  EXPECT_THAT(uses(), ElementsAre(HostUse{kKeyboard, "input5"}));
}

TEST_F(KeyboardUseTest, EachOfThemIsAndTheMatcherCounts) {
  usb_keyboard();
  keyboard("input6", kPort + "0003:2");  // the same device
  keyboard("input7", "devices/pci0/1-3/1-3:1.0/0003:3");
  EXPECT_THAT(uses(), ElementsAre(HostUse{kKeyboard, "input5"}));
  EXPECT_THAT(uses("1-3"), ElementsAre(HostUse{kKeyboard, "input7"}));
}

TEST_F(KeyboardUseTest, AMouseIsNot) {
  keyboard("input5", kPort + "0003:1", "1f0000 0 0 0 0");
  EXPECT_FALSE(in_use());
}

TEST_F(KeyboardUseTest, ItIsNotIfThereIsOneOfAnotherBus) {
  usb_keyboard();
  keyboard("input0", "devices/platform/i8042/serio0");
  EXPECT_FALSE(in_use());
}

TEST_F(KeyboardUseTest, AVirtualOneIsNoSubstitute) {
  usb_keyboard();
  keyboard("input0", "devices/virtual");
  EXPECT_TRUE(in_use());
}

TEST_F(KeyboardUseTest, WithoutAScreenThereIsNoConsole) {
  usb_keyboard();
  host_.hide("graphics", "fb0");
  host_.show("graphics", "fbcon", "devices/virtual/graphics/fbcon");
  EXPECT_FALSE(in_use());
}

TEST_F(KeyboardUseTest, ATextConsoleIsOne) {
  usb_keyboard();
  host_.hide("graphics", "fb0");
  const std::string path = "devices/virtual/vtconsole/vtcon0";
  host_.show("vtconsole", "vtcon0", path, {{"bind", "1"}, {"name", "(S) dummy device"}});
  EXPECT_FALSE(in_use());
  attribute(path + "/name", "(S) VGA+");
  EXPECT_TRUE(in_use());
  attribute(path + "/bind", "0");
  EXPECT_FALSE(in_use());
}

TEST_F(KeyboardUseTest, WhereThereAreConnectorsTheyDecide) {
  usb_keyboard();
  host_.show("drm", "card0", "devices/pci1/drm/card0");
  EXPECT_TRUE(in_use());
  const auto connector = [&](const std::string& name, const std::string& status) {
    host_.show("drm", name, "devices/pci1/drm/card0/" + name, {{"status", status}});
  };
  connector("card0-HDMI-A-1", "disconnected");
  connector("card0-Writeback-1", "unknown");
  EXPECT_FALSE(in_use());
  connector("card0-DP-1", "connected");
  EXPECT_TRUE(in_use());
  connector("card0-DP-1", "unknown");
  EXPECT_TRUE(in_use());
}

}  // namespace
}  // namespace whawty
