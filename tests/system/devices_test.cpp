// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Devices and guests come and go.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>

#include "common/text.h"
#include "system_test.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DevicesTest : public SystemTest {};

TEST_F(DevicesTest, APluggedDeviceIsAttachedByItsFourNumbers) {
  start_with_guest();
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach a 003/005 046d:0825"));
  EXPECT_TRUE(daemon_.logs("attached 003/005 046d:0825 serial=CAM5 port=3-5 to a by a[0] in "));
}

TEST_F(DevicesTest, ADeviceThatIsThereAtTheStartIsAttached) {
  libvirt_.define("a");
  host_.plug(camera_);
  start(config(wants_all("a")));
  EXPECT_TRUE(gets("a", camera_));
}

// What a library does when it searches for the first time, it does in the sealed matcher.
TEST_F(DevicesTest, APatternChoosesADevice) {
  libvirt_.define("a");
  start(config("  a: {devices: [{udev: {env: [{name: ID_SERIAL_SHORT, pattern: '(CAM|MIC)[5-7]'}]}}]}\n"));
  plug(webcam(8));
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach a 003/005 046d:0825"));
}

TEST_F(DevicesTest, AnUnpluggedDeviceIsDetached) {
  start_with_guest();
  plug(camera_);
  ASSERT_TRUE(daemon_.logs("attached 003/005"));  // before that it would be an attach that came too late
  unplug(camera_);
  EXPECT_TRUE(ends_up_with("a", {}));
  EXPECT_TRUE(daemon_.logs("detached 003/005 046d:0825 from a: it left the host"));
}

TEST_F(DevicesTest, ADeviceThatComesBackWithAnotherNumberIsTheGuestsAgain) {
  start_with_guest();
  plug(camera_);
  ASSERT_TRUE(gets("a", camera_));
  host_.unplug(camera_.sysname);
  fake::UsbDevice again = webcam(6);
  again.sysname = camera_.sysname;
  plug(again);
  EXPECT_TRUE(ends_up_with("a", {again}));
}

TEST_F(DevicesTest, ADeviceNobodyWantsIsLeftAlone) {
  libvirt_.define("a");
  start(config(wants("a", 6)));
  plug(camera_);
  plug(webcam(6));
  EXPECT_TRUE(gets("a", webcam(6)));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach a 003/006 046d:0825"));
}

TEST_F(DevicesTest, ADeviceNobodyWantsIsSaidOnceForEachPlug) {
  libvirt_.define("a");
  host_.plug(webcam(7));
  start(config(wants("a", 6), "20ms"));
  EXPECT_TRUE(daemon_.logs("of 1 USB device, no rule wants 1"));
  *camera_.database += "E:ID_VENDOR=Logitech\nE:ID_MODEL=C270\n";
  for (int times = 1; times <= 2; ++times) {
    plug(camera_);
    EXPECT_TRUE(eventually([&] {
      return daemon_.lines_with(
                 "003/005 046d:0825 serial=CAM5 port=3-5 vendor=Logitech model=C270 was plugged, "
                 "and no rule wants it") == times;
    }));
    const int rounds = libvirt_.listings();
    EXPECT_TRUE(eventually([&] { return libvirt_.listings() > rounds + 5; }));
    EXPECT_EQ(daemon_.lines_with("was plugged"), times);
    unplug(camera_);
    EXPECT_TRUE(eventually([&] { return libvirt_.listings() > rounds + 10; }));
  }
}

TEST_F(DevicesTest, ItMovesBetweenMachinesByDetachingFirst) {
  libvirt_.define("a");
  libvirt_.define("b");
  libvirt_.give("a", hostdev_of(camera_));
  host_.plug(camera_);
  start(config(wants_all("a")));
  write_config(config(wants_all("b") + wants("a", 6)));
  reload();
  EXPECT_TRUE(ends_up_with("b", {camera_}));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("detach a 003/005 046d:0825", "attach b 003/005 046d:0825"));
}

TEST_F(DevicesTest, WhatAGuestHasAlreadyIsNotAttachedAgain) {
  libvirt_.define("a");
  libvirt_.give("a", hostdev_of(camera_));
  host_.plug(camera_);
  start(config(wants_all("a")));
  plug(webcam(6));
  EXPECT_TRUE(gets("a", webcam(6)));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach a 003/006 046d:0825"));
}

TEST_F(DevicesTest, AConflictIsSaidOnceAndWhoHasTheDeviceKeepsIt) {
  libvirt_.define("a", false);
  libvirt_.define("b");
  start(config(wants_all("a") + wants_all("b"), "20ms"));
  plug(camera_);
  ASSERT_TRUE(gets("b", camera_));
  libvirt_.start_domain("a");
  EXPECT_TRUE(
      daemon_.logs("machine a also wants 003/005 046d:0825 serial=CAM5 port=3-5 by a[0]: it stays with b"));
  const int rounds = libvirt_.listings();
  EXPECT_TRUE(eventually([&] { return libvirt_.listings() > rounds + 20; }));
  EXPECT_EQ(daemon_.lines_with("machine a also wants"), 1);
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach b 003/005 046d:0825"));
}

TEST_F(DevicesTest, AmongTwoThatLackItTheFirstInTheConfigurationGetsIt) {
  libvirt_.define("a");
  libvirt_.define("b");
  host_.plug(camera_);
  start(config(wants_all("b") + wants_all("a")));
  EXPECT_TRUE(gets("b", camera_));
  EXPECT_TRUE(daemon_.logs("machine a also wants"));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach b 003/005 046d:0825"));
}

TEST_F(DevicesTest, HubsAreNeverAttached) {
  libvirt_.define("a");
  fake::UsbDevice hub = webcam(2);
  hub.attributes["bDeviceClass"] = "09";
  fake::UsbDevice composite = webcam(3);
  composite.attributes["3-3:1.0/bInterfaceClass"] = "09";
  fake::UsbDevice root = webcam(1);
  root.sysname = "usb3";
  root.attributes["bDeviceClass"] = "09";
  host_.plug(root);
  start(config(wants_all("a")));
  plug(hub);
  plug(composite);
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach a 003/005 046d:0825"));
}

// A mount that is real but for the disk: the partition has the number of a tmpfs.
TEST_F(DevicesTest, WhatTheHostHasMountedIsAttachedWhenItIsUnmounted) {
  std::filesystem::create_directories("/run/stick");
  ASSERT_EQ(::mount("none", "/run/stick", "tmpfs", 0, nullptr), 0);
  struct stat stick = {};
  ASSERT_EQ(::stat("/run/stick", &stick), 0);
  libvirt_.define("a");
  host_.show_disk(camera_.sysname, concat(major(stick.st_dev), ':', minor(stick.st_dev)));
  start(config(wants_all("a")));
  plug(camera_);
  plug(webcam(6));
  EXPECT_TRUE(gets("a", webcam(6)));
  EXPECT_TRUE(daemon_.logs(
      "003/005 046d:0825 serial=CAM5 port=3-5 stays with the host: sdb1 is mounted; machine a wants "
      "it by a[0]; to allow it, say allow-host-device: true in that rule"));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach a 003/006 046d:0825"));
  ASSERT_EQ(::umount2("/run/stick", 0), 0);
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_EQ(daemon_.lines_with("stays with the host"), 1);
}

TEST_F(DevicesTest, WhatTheHostUsesIsAttachedByARuleThatAllowsIt) {
  libvirt_.define("a");
  libvirt_.define("b");
  std::filesystem::create_directories("/sys/fs/ext4/sdb1");
  host_.show_disk(camera_.sysname);
  start(config(wants_all("a") + wants_all("b") + "      allow-host-device: true\n"));
  plug(camera_);
  EXPECT_TRUE(gets("b", camera_));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach b 003/005 046d:0825"));
}

TEST_F(DevicesTest, AForeignHostdevWithoutNumbersHarmsNobody) {
  libvirt_.define("a", true, "<hostdev mode='subsystem' type='usb'><source/></hostdev>");
  libvirt_.define(
      "b", true,
      "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='2' function='0'/>"
      "</source></hostdev>");
  start(config(wants("a", 5) + wants("b", 6)));
  plug(camera_);
  plug(webcam(6));
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_TRUE(gets("b", webcam(6)));
  EXPECT_THAT(libvirt_.changes(),
              testing::UnorderedElementsAre("attach a 003/005 046d:0825", "attach b 003/006 046d:0825"));
}

TEST_F(DevicesTest, AHostdevWhoseDeviceWasMissingKeepsItFromNobody) {
  libvirt_.define("x", true,
                  "<hostdev mode='subsystem' type='usb'><source startupPolicy='optional' missing='yes'>"
                  "<vendor id='0x046d'/><product id='0x0825'/></source></hostdev>");
  start_with_guest();
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach a 003/005 046d:0825"));
}

TEST_F(DevicesTest, AGuestThatStartsGetsItsDevices) {
  libvirt_.define("a", false);
  host_.plug(camera_);
  start(config(wants_all("a")));
  EXPECT_THAT(libvirt_.changes(), IsEmpty());
  libvirt_.start_domain("a");
  EXPECT_TRUE(gets("a", camera_));
  libvirt_.stop_domain("a");
  libvirt_.start_domain("a");
  EXPECT_TRUE(gets("a", camera_));
}

TEST_F(DevicesTest, AGuestThatDiedOfADeviceTwiceIsSparedItUntilAReload) {
  start_with_guest();
  plug(camera_);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(gets("a", camera_));
    libvirt_.kill_domain("a");
    libvirt_.start_domain("a");
  }
  EXPECT_TRUE(
      daemon_.logs("port=3-5 is put aside for machine a, whose QEMU died twice within 7 s of a change"));
  plug(webcam(6));
  EXPECT_TRUE(ends_up_with("a", {webcam(6)}));
  EXPECT_EQ(times("attach a 003/005 046d:0825"), 2);
  reload();
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_EQ(times("attach a 003/005 046d:0825"), 3);
}

TEST_F(DevicesTest, AGuestThatWasMigratedHereIsGivenItsDevicesAnew) {
  libvirt_.define("a", false);
  host_.plug(camera_);
  start(config(wants_all("a")));
  libvirt_.migrate_domain("a", {hostdev_of(camera_)});
  EXPECT_TRUE(eventually([this] { return libvirt_.changes().size() == 2; }));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("detach a 003/005 046d:0825", "attach a 003/005 046d:0825"));
}

TEST_F(DevicesTest, AGuestThatIsDefinedLaterGetsItsDevices) {
  host_.plug(camera_);
  start(config(wants_all("a")));
  libvirt_.define("a", false);
  libvirt_.start_domain("a");
  EXPECT_TRUE(gets("a", camera_));
}

TEST_F(DevicesTest, WithoutEventsTheIntervalFindsWhatChanged) {
  libvirt_.define("a");
  start(config(wants_all("a"), "50ms"));
  host_.plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  host_.unplug(camera_.sysname);
  EXPECT_TRUE(ends_up_with("a", {}));
}

TEST_F(DevicesTest, AnIntervalInWhichNothingHappensTakesAListAndNoDescription) {
  libvirt_.define("a");
  start(config(wants_all("a"), "50ms"));
  plug(camera_);
  ASSERT_TRUE(gets("a", camera_));
  int before = 0;
  // Of the attach the guest is described once or twice: for the event, and for the answer.
  ASSERT_TRUE(eventually([&] {
    before = libvirt_.descriptions();
    const int listings = libvirt_.listings();
    return eventually([&] { return libvirt_.listings() > listings + 2; }) &&
           libvirt_.descriptions() == before;
  }));
  const int listings = libvirt_.listings();
  ASSERT_TRUE(eventually([&] { return libvirt_.listings() > listings + 10; }));
  EXPECT_EQ(libvirt_.descriptions(), before);
}

TEST_F(DevicesTest, AGuestThatStartsAnewWithoutAnEventIsServedAtTheNextInterval) {
  libvirt_.define("a");
  start(config(wants_all("a"), "50ms"));
  plug(camera_);
  ASSERT_TRUE(gets("a", camera_));
  libvirt_.restart_silently("a");
  EXPECT_TRUE(gets("a", camera_));
}

TEST_F(DevicesTest, WhatAGuestLostWithoutAnEventItIsGivenAgainAfterAReload) {
  start_with_guest();
  plug(camera_);
  ASSERT_TRUE(gets("a", camera_));
  ASSERT_TRUE(daemon_.logs("attached 003/005"));
  libvirt_.take_silently("a");
  reload();
  EXPECT_TRUE(gets("a", camera_));
}

TEST_F(DevicesTest, WhatWasAttachedByHandToAMachineIsDetachedWhenNoRuleGivesIt) {
  libvirt_.define(
      "a", true,
      "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0x0001'/></source>"
      "</hostdev>");
  start(config(wants_all("a")));
  EXPECT_TRUE(eventually([&] { return times("detach a 000/000 1234:0001") > 0; }));
}

TEST_F(DevicesTest, DozensOfDevicesAtOnceAreAllServed) {
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f"};
  std::string machines;
  std::map<std::string, std::vector<fake::UsbDevice>> devices;
  for (unsigned i = 0; i < 90; ++i) {
    const std::string& name = names[i % names.size()];
    devices[name].push_back(webcam(10 + i));
    devices[name].back().database = "E:OWNER=" + name + "\n";
  }
  for (const std::string& name : names) {
    libvirt_.define(name);
    machines +=
        concat("  ", name, ":\n    devices:\n    - udev: {env: [{name: OWNER, equals: ", name, "}]}\n");
  }
  start(config(machines));
  for (const auto& [name, mine] : devices)
    for (const fake::UsbDevice& device : mine) plug(device);
  for (const auto& [name, mine] : devices) EXPECT_TRUE(ends_up_with(name, mine)) << name;
  EXPECT_EQ(libvirt_.changes().size(), 90U);
  for (const auto& [name, mine] : devices)
    for (const fake::UsbDevice& device : mine) unplug(device);
  for (const std::string& name : names) EXPECT_TRUE(ends_up_with(name, {})) << name;
  EXPECT_EQ(libvirt_.changes().size(), 180U);
}

TEST_F(DevicesTest, WhatADeviceCallsItselfNeverMakesALineOfTheLog) {
  start_with_guest();
  camera_.database = "E:ID_SERIAL_SHORT=x\x1b[2J\"\xff\n";
  plug(camera_);
  EXPECT_TRUE(daemon_.logs(R"(attached 003/005 046d:0825 serial="x\x1b[2J\"\xff" port=3-5 to a)"));
}

}  // namespace
}  // namespace whawty
