// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/scanner.h"

#include <filesystem>

#include "common/bounds.h"
#include "common/text.h"
#include "scanner_fixture.h"

namespace whawty {
namespace {

using fake::sysnames;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(ScannerTest, AHostWithoutDevicesIsAnEmptySnapshot) {
  start();
  EXPECT_THAT(matcher_->snapshot(), IsEmpty());
}

TEST_F(ScannerTest, TellsAllDevicesAtOnceAndNoInterfaces) {
  host_.plug(fake::device("usb1", 1, 1));
  host_.plug(fake::device("1-2", 1, 2));
  host_.plug(fake::device("1-2:1.0", 1, 3));
  start();
  EXPECT_THAT(sysnames(matcher_->snapshot()), ElementsAre("1-2", "usb1"));
}

TEST_F(ScannerTest, ARequestIsAnsweredWithAWholeSnapshot) {
  start_with({mouse_});
  host_.plug(fake::device("1-3", 1, 3));
  matcher_->rescan();
  EXPECT_THAT(sysnames(matcher_->snapshot()), ElementsAre("1-2", "1-3"));
}

TEST_F(ScannerTest, ItSaysOnceForEachPingThatItWokeByItself) {
  start_with({mouse_});
  for (unsigned ping = 1; ping <= 2; ++ping) {
    for (const unsigned number : {2 * ping + 10, 2 * ping + 11}) {
      const fake::UsbDevice device = fake::device(concat("1-", number), 1, number);
      host_.plug(device);
      host_.event("add", device.sysname);
      EXPECT_EQ(matcher_->expect<Device>().sysname, device.sysname);
      EXPECT_EQ(matcher_->awake(), static_cast<int>(ping)) << "before it told of the device";
    }
    matcher_->ping();
    matcher_->expect<Pong>();
  }
}

TEST_F(ScannerTest, ACheckIsAnsweredWithASnapshotOnlyIfTheKernelHasSentAnEvent) {
  start_with({mouse_});
  for (int i = 0; i < 2; ++i) {
    matcher_->check();
    matcher_->expect<Unchanged>();
    host_.count_event();
    matcher_->check();
    EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
  }
}

TEST_F(ScannerTest, ACheckIsAnsweredWithASnapshotIfUdevdWasBusyAtTheLast) {
  host_.occupy_udevd(true);
  start_with({mouse_});
  host_.occupy_udevd(false);
  matcher_->check();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
  matcher_->check();
  matcher_->expect<Unchanged>();
}

TEST_F(ScannerTest, ACheckIsAnsweredWithASnapshotIfUdevdBecameBusyDuringTheLast) {
  host_.plug(mouse_);
  const auto reader = host_.when_read("1-2", "idProduct", [this] { host_.occupy_udevd(true); });
  start();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
  matcher_->check();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
}

TEST_F(ScannerTest, ACheckIsAnsweredWithASnapshotIfEventsCameDuringTheLast) {
  host_.plug(mouse_);
  const auto reader = host_.when_read("1-2", "idProduct", [this] { host_.count_event(); });
  start();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
  matcher_->check();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
}

TEST_F(ScannerTest, ACheckIsAnsweredWithASnapshotWhereNobodyTellsOfEvents) {
  host_.stop_udevd();
  start_with({mouse_});
  matcher_->check();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
}

TEST_F(ScannerTest, ACheckIsAnsweredWithASnapshotIfUdevHasWrittenARecordWithoutAWord) {
  start_with({mouse_});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the clock of file systems has ticks
  *mouse_.database = "E:A=b\n";
  host_.write_database(mouse_);
  matcher_->check();
  EXPECT_THAT(matcher_->snapshot().at(0).properties, Contains(Property{"A", "b"}));
}

// Only time, and no event, ends that.
TEST_F(ScannerTest, ACheckIsAnsweredWithASnapshotAsLongAsUdevHasNoRecordOfADevice) {
  mouse_.database.reset();
  host_.plug(mouse_);
  start();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(matcher_->snapshot(), IsEmpty());
    matcher_->check();
  }
}

TEST_F(ScannerTest, ADeviceIsToldWithWhatTheHostDoesWithIt) {
  host_.show_disk("1-2");
  host_.mount({{"8:17", "none"}});
  host_.plug(mouse_);
  start();
  EXPECT_THAT(matcher_->snapshot().at(0).host_uses, ElementsAre(HostUse{HostUseKind::kMounted, "sdb1"}));
}

// Whoever is told has been looked at: a device that comes between the two is not told as one that is free.
TEST_F(ScannerTest, ADeviceThatComesDuringTheLookIsNotToldAsFree) {
  std::filesystem::create_directories("/sys/fs/ext4/sdc");
  host_.show_disk("1-2");
  start_with({mouse_});
  const auto reader = host_.when_read("1-2", "1-2:1.0/host3/target3:0:0/block/sdb/sdb1/dev", [this] {
    host_.show("block", "sdc", "devices/pci0/1-3/1-3:1.0/block/sdc", {{"dev", "8:32"}});
    host_.plug(fake::device("1-3", 1, 3));
  });
  matcher_->rescan();
  for (const Device& device : matcher_->snapshot()) EXPECT_EQ(device.sysname, "1-2");
  host_.event("add", "1-3");
  EXPECT_THAT(matcher_->expect<Device>().host_uses, ElementsAre(HostUse{HostUseKind::kMounted, "sdc"}));
}

constexpr const char* kRouteByUsb0 =
    "Iface Destination Gateway Flags RefCnt Use Metric Mask\nusb0 00000000 0102A8C0 0003 0 0 0 00000000 0 0 "
    "0\n";

// Without an event: a file cannot announce that it has changed, and a disk is looked at all the same.
TEST_F(ScannerTest, WhatTheHostDoesIsLookedAtNowAndThen) {
  host_.show_disk("1-2");
  start_with({mouse_});
  host_.mount({{"8:17", "none"}});
  EXPECT_THAT(matcher_->expect<Device>().host_uses, ElementsAre(HostUse{HostUseKind::kMounted, "sdb1"}));
  host_.mount();
  EXPECT_THAT(matcher_->expect<Device>().host_uses, ElementsAre(HostUse{HostUseKind::kSettling, "sdb1"}));
  EXPECT_THAT(matcher_->expect<Device>().host_uses, IsEmpty());
  expect_no_more();
}

constexpr int kLooks = 1500;  // milliseconds: what is looked at now and then was

TEST_F(ScannerTest, WhatEventsTellOfIsLookedAtThenOnly) {
  host_.write_list("self/net/route", kRouteByUsb0);
  files_ = ProcFiles(fake::Host::kProc);
  start_with({mouse_});
  host_.show("net", "usb0", "devices/pci0/1-2/1-2:1.0/net/usb0");
  EXPECT_TRUE(matcher_->quiet(kLooks));
  host_.event("bind", "1-2:1.0");
  EXPECT_THAT(matcher_->expect<Device>().host_uses, ElementsAre(HostUse{HostUseKind::kDefaultRoute, "usb0"}));
  EXPECT_TRUE(matcher_->quiet(kLooks)) << "the second look finds nothing";
  std::filesystem::create_directories("/sys/fs/ext4/sdb");
  host_.show("block", "sdb", "devices/pci0/1-2/1-2:1.0/block/sdb", {{"dev", "8:16"}});
  EXPECT_TRUE(matcher_->quiet(kLooks));
  host_.event_of("block", "devices/virtual/block/dm-0");
  EXPECT_TRUE(matcher_->quiet(kLooks)) << "it is of no USB device";
  host_.event_of("block", "devices/pci0/usb1/1-2/1-2:1.0/block/sdb");
  EXPECT_THAT(matcher_->expect<Device>().host_uses, SizeIs(2));
}

// A check finds what no event tells: that a text console began to be used.
TEST_F(ScannerTest, AUsbKeyboardIsLookedAtWithEachCheck) {
  host_.show("input", "input5", "devices/pci0/1-2/1-2:1.0/input/input5",
             {{"capabilities/ev", "120013"}, {"capabilities/key", "fffffffe"}});
  start_with({mouse_});
  host_.show("vtconsole", "vtcon0", "devices/virtual/vtconsole/vtcon0",
             {{"bind", "1"}, {"name", "(S) VGA+"}});
  EXPECT_TRUE(matcher_->quiet(kLooks));
  matcher_->check();
  EXPECT_THAT(matcher_->expect<Device>().host_uses, ElementsAre(HostUse{HostUseKind::kKeyboard, "input5"}));
  matcher_->expect<Unchanged>();
}

// More may follow from what an event told of.
TEST_F(ScannerTest, SoonAfterAnEventItLooksOnceMore) {
  host_.write_list("self/net/route", kRouteByUsb0);
  files_ = ProcFiles(fake::Host::kProc);
  start_with({mouse_});
  host_.write_attribute("1-2", "bDeviceClass", "ff");
  host_.event("change", "1-2");
  EXPECT_THAT(matcher_->expect<Device>().host_uses, IsEmpty());
  host_.show("net", "usb0", "devices/pci0/1-2/1-2:1.0/net/usb0");
  EXPECT_THAT(matcher_->expect<Device>().host_uses, SizeIs(1));
}

TEST_F(ScannerTest, WithoutUdevdAllIsLookedAtNowAndThen) {
  host_.write_list("self/net/route", kRouteByUsb0);
  files_ = ProcFiles(fake::Host::kProc);
  host_.stop_udevd();
  start_with({mouse_});
  host_.show("net", "usb0", "devices/pci0/1-2/1-2:1.0/net/usb0");
  EXPECT_THAT(matcher_->expect<Device>().host_uses, ElementsAre(HostUse{HostUseKind::kDefaultRoute, "usb0"}));
}

TEST_F(ScannerTest, RoutesAreLookedAtWhenTheKernelTellsOfThem) {
  host_.write_list("self/net/route", "");
  files_ = ProcFiles(fake::Host::kProc);
  host_.show("net", "usb0", "devices/pci0/1-2/1-2:1.0/net/usb0");
  start_with({mouse_});
  host_.write_list("self/net/route", kRouteByUsb0);
  EXPECT_TRUE(matcher_->quiet(kLooks));
  host_.change_interface();
  EXPECT_THAT(matcher_->expect<Device>().host_uses, ElementsAre(HostUse{HostUseKind::kDefaultRoute, "usb0"}));
}

TEST_F(ScannerTest, WhatTheHostDoesIsLookedAtWithEachEventAndEachRequest) {
  host_.show_disk("1-2");
  start_with({mouse_});
  host_.mount({{"8:17", "none"}});
  host_.event("change", "1-2");
  EXPECT_THAT(matcher_->expect<Device>().host_uses, SizeIs(1));
  host_.mount({{"8:16", "none"}, {"8:17", "none"}});
  matcher_->rescan();
  EXPECT_THAT(matcher_->snapshot().at(0).host_uses, SizeIs(2));
}

TEST_F(ScannerTest, ADeviceWhoseRecordCannotBeReadStaysWhatItWas) {
  mouse_.database = "E:ID_MODEL=mouse\n";
  start_with({mouse_});
  host_.spoil_database(mouse_);
  host_.event("change", "1-2");
  expect_no_more();
  matcher_->rescan();
  const std::vector<Device> devices = matcher_->snapshot();
  EXPECT_THAT(sysnames(devices), ElementsAre("1-2", "9-9"));
  EXPECT_THAT(devices.at(0).properties, Contains(Property{"ID_MODEL", "mouse"}));
}

TEST_F(ScannerTest, ADeviceWhoseRecordCannotBeReadFromTheStartIsToldByItsNumbers) {
  host_.plug(mouse_);
  host_.spoil_database(mouse_);
  start();
  const Device device = matcher_->snapshot().at(0);
  EXPECT_EQ(device.number, 2);
  EXPECT_FALSE(device.digest);
  host_.write_database(mouse_);
  host_.event("change", "1-2");
  EXPECT_TRUE(matcher_->expect<Device>().digest);
}

TEST_F(ScannerTest, AnythingElseThanARequestIsAViolation) {
  start_with({});
  matcher_->send(Datagram(16));
  thread_.join();
  EXPECT_EQ(end_, kViolation);
}

class EventTest : public ScannerTest, public testing::WithParamInterface<const char*> {};

TEST_P(EventTest, WhateverHappensADeviceThatIsThereIsTold) {
  start_with({});
  mouse_.database = "E:ID_MODEL=mouse\nG:seat\n";
  host_.plug(mouse_);
  host_.event(GetParam(), "1-2");
  const Device device = matcher_->expect<Device>();
  EXPECT_EQ(device.sysname, "1-2");
  EXPECT_EQ(device.number, 2);
  EXPECT_THAT(device.properties, Contains(Property{"ID_MODEL", "mouse"}));
  EXPECT_THAT(device.properties, Not(Contains(testing::Field(&Property::name, "ACTION"))));
  EXPECT_THAT(device.tags, ElementsAre("seat"));
}

TEST_P(EventTest, WhateverHappensADeviceThatIsNotThereHasLeft) {
  start_with({mouse_});
  host_.unplug("1-2");
  host_.event(GetParam(), "1-2");
  EXPECT_EQ(matcher_->expect<DeviceRemoved>().sysname, "1-2");
}

TEST_P(EventTest, WhateverHappensADeviceThatIsAsItWasIsNotToldAgain) {
  start_with({mouse_});
  host_.event(GetParam(), "1-2");
  host_.event(GetParam(), "1-77");
  expect_no_more();
}

TEST_P(EventTest, WhateverHappensAChangeIsTold) {
  start_with({mouse_});
  mouse_.database = "Q:new\n";
  host_.write_database(mouse_);
  host_.event(GetParam(), "1-2");
  EXPECT_THAT(matcher_->expect<Device>().current_tags, ElementsAre("new"));
}

INSTANTIATE_TEST_SUITE_P(Scanner, EventTest,
                         testing::Values("add", "bind", "change", "unbind", "remove", "move", "offline"),
                         [](const auto& test) { return std::string(test.param); });

// The kernel sends no event of the device itself when a driver comes or goes, or when the host authorizes it.
TEST_F(ScannerTest, AnInterfacesEventTellsOfItsDriverAndOfTheAuthorization) {
  start_with({mouse_});
  host_.drive("1-2:1.0", "usbhid");
  host_.event("bind", "1-2:1.0");
  const Device bound = matcher_->expect<Device>();
  EXPECT_EQ(bound.driver, DriverKind::kHost);
  EXPECT_EQ(bound.host_driver, "usbhid");
  EXPECT_TRUE(bound.digest.has_value());
  host_.write_attribute("1-2", "authorized", "0");
  std::filesystem::remove_all("/sys/devices/pci0/1-2/1-2:1.0");
  host_.event("remove", "1-2:1.0");
  const Device barred = matcher_->expect<Device>();
  EXPECT_FALSE(barred.authorized);
  EXPECT_EQ(barred.driver, DriverKind::kNone);
  EXPECT_THAT(barred.interface_classes, IsEmpty());
  EXPECT_TRUE(barred.digest.has_value());
  host_.event("remove", "1-2:1.0");
  expect_no_more();
}

// While a driver starts or ends the kernel does not tell the serial number. What an interface's event is
// about it does.
TEST_F(ScannerTest, AnInterfacesEventWaitsForNobody) {
  mouse_.attributes["serial"] = "M1";
  start_with({mouse_});
  host_.hold("1-2", "serial");
  host_.drive("1-2:1.0", "usbhid");
  host_.event("bind", "1-2:1.0");
  EXPECT_EQ(matcher_->expect<Device>().driver, DriverKind::kHost);
  host_.release("1-2", "serial");
}

TEST_F(ScannerTest, AnInterfacesEventOfADeviceThatIsNotKnownOrAnotherOneIsLeftToItsOwn) {
  start_with({mouse_});
  host_.plug(fake::device("1-3", 1, 3));
  host_.event("bind", "1-3:1.0");
  host_.write_attribute("1-2", "devnum", "7");
  host_.drive("1-2:1.0", "usbhid");
  host_.event("bind", "1-2:1.0");
  host_.event("bind", "1-77:1.0");
  expect_no_more();
}

TEST_F(ScannerTest, AnEventThatLibudevDoesNotUnderstandIsALostOne) {
  start_with({mouse_});
  host_.plug(fake::device("1-3", 1, 3));
  host_.event("unheard_of", "1-3");
  EXPECT_THAT(sysnames(matcher_->snapshot()), ElementsAre("1-2", "1-3"));
}

TEST_F(ScannerTest, EachLossOfEventsIsLoggedOnce) {
  start_with({});
  testing::internal::CaptureStderr();
  for (int losses = 1; losses <= 2; ++losses) {
    for (int i = 0; i < 3; ++i) {
      host_.event("unheard_of", "1-2");
      EXPECT_THAT(matcher_->snapshot(), SizeIs(losses - 1));
    }
    host_.plug(fake::device("1-" + std::to_string(losses), 1, 1));
    host_.event("add", "1-" + std::to_string(losses));
    matcher_->expect<Device>();
  }
  EXPECT_EQ(occurrences(testing::internal::GetCapturedStderr(), "events of udev were lost"), 2);
}

TEST_F(ScannerTest, AnotherDeviceOfTheSameNameReplacesTheFirst) {
  start_with({mouse_});
  host_.unplug("1-2");
  host_.event("remove", "1-2");
  EXPECT_EQ(matcher_->expect<DeviceRemoved>().sysname, "1-2");
  host_.plug(fake::device("1-2", 1, 7));
  host_.event("add", "1-2");
  EXPECT_EQ(matcher_->expect<Device>().number, 7);
}

TEST_F(ScannerTest, ADeviceThatComesBackIsToldAgain) {
  start_with({mouse_});
  host_.unplug("1-2");
  host_.event("remove", "1-2");
  EXPECT_EQ(matcher_->expect<DeviceRemoved>().sysname, "1-2");
  host_.event("remove", "1-2");
  host_.plug(mouse_);
  host_.event("add", "1-2");
  EXPECT_EQ(matcher_->expect<Device>().number, 2);
  expect_no_more();
}

TEST_F(ScannerTest, ALateRemoveDoesNotTakeTheNextDeviceOfThatName) {
  start_with({mouse_});
  host_.unplug("1-2");
  host_.plug(fake::device("1-2", 1, 7));
  host_.event("remove", "1-2");
  EXPECT_EQ(matcher_->expect<Device>().number, 7);
  host_.event("add", "1-2");
  expect_no_more();
}

TEST_F(ScannerTest, TheNextDeviceOfThatNameIsNotToldBeforeUdevHasProcessedIt) {
  start_with({mouse_});
  host_.unplug("1-2");
  fake::UsbDevice next = fake::device("1-2", 1, 7);
  next.database.reset();
  host_.plug(next);
  host_.event("remove", "1-2");
  EXPECT_EQ(matcher_->expect<DeviceRemoved>().sysname, "1-2");
  next.database = "";
  host_.write_database(next);
  host_.event("add", "1-2");
  EXPECT_EQ(matcher_->expect<Device>().number, 7);
}

TEST_F(ScannerTest, WhatHappensDuringASnapshotIsNeitherLostNorDoubled) {
  host_.plug(fake::device("1-5", 1, 5));
  host_.plug(fake::device("1-6", 1, 6));
  const auto reader = host_.when_read("1-5", "idProduct", [this] {
    host_.plug(fake::device("1-1", 1, 1));  // too late for this snapshot
    host_.event("add", "1-1");
    host_.write_attribute("1-6", "bDeviceClass", "ff");  // in time for it
    host_.event("change", "1-6");
  });
  start();
  const std::vector<Device> devices = matcher_->snapshot();
  ASSERT_THAT(sysnames(devices), ElementsAre("1-5", "1-6"));
  EXPECT_EQ(devices[1].device_class, 0xff);
  EXPECT_EQ(matcher_->expect<Device>().sysname, "1-1");
  expect_no_more();
}

TEST_F(ScannerTest, EventsFromBeforeTheFirstSnapshotAreNotDoubled) {
  host_.event("add", "1-2");
  start_with({mouse_});
  expect_no_more();
}

TEST_F(ScannerTest, EndsWhenTheMatcherDoes) {
  start_with({mouse_});
  EXPECT_EQ(close(), kPeerClosed);
}

TEST_F(ScannerTest, LossesThatGoOnAndOnDoNotFillTheLog) {
  start_with({mouse_});
  testing::internal::CaptureStderr();
  for (int i = 0; i < 20; ++i) {
    host_.event("unheard_of", "1-2");
    EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
    host_.write_attribute("1-2", "idVendor", i % 2 == 0 ? "1234" : "4321");
    host_.event("change", "1-2");
    matcher_->expect<Device>();
  }
  EXPECT_EQ(occurrences(testing::internal::GetCapturedStderr(), "events of udev were lost"), 3);
}

TEST_F(ScannerTest, OfTooManyDevicesTheFirstAreToldAndOneLineSaysSo) {
  for (unsigned i = 0; i < kMaxDevices; ++i) {
    fake::UsbDevice device = fake::device("d" + decimal(i, 4), i / 127 + 1, i % 127 + 1);
    host_.plug(device);
  }
  testing::internal::CaptureStderr();
  start();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(kMaxDevices));
  host_.plug(fake::device("e", 40, 1));
  host_.event("add", "e");
  for (int i = 0; i < 2; ++i) {
    matcher_->rescan();
    const std::vector<Device> devices = matcher_->snapshot();
    ASSERT_THAT(devices, SizeIs(kMaxDevices));
    EXPECT_EQ(devices.back().sysname, "d4095");
  }
  host_.event("change", "e");
  host_.unplug("d0000");
  host_.event("remove", "d0000");
  EXPECT_EQ(matcher_->expect<DeviceRemoved>().sysname, "d0000");
  EXPECT_EQ(occurrences(testing::internal::GetCapturedStderr(), "more than 4096 USB devices"), 1);
}

TEST_F(ScannerTest, ADeviceIsComplainedOfOnceAsLongAsItIsThere) {
  mouse_.database = "E:A=" + std::string(40'000, 'x') + "\n";
  testing::internal::CaptureStderr();
  start_with({mouse_});
  matcher_->rescan();
  EXPECT_TRUE(matcher_->snapshot().at(0).properties_omitted);
  host_.event("change", "1-2");
  expect_no_more();
  EXPECT_EQ(occurrences(testing::internal::GetCapturedStderr(), "USB device 1-2 "), 1);

  testing::internal::CaptureStderr();
  host_.unplug("1-2");
  matcher_->rescan();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
  host_.plug(mouse_);
  matcher_->rescan();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(2));
  EXPECT_EQ(occurrences(testing::internal::GetCapturedStderr(), "USB device 1-2 "), 1);
}

TEST_F(ScannerTest, ADeviceThatIsWrongInEverNewWaysDoesNotFillTheLog) {
  start_with({mouse_});
  testing::internal::CaptureStderr();
  for (int i = 0; i < 20; ++i) {
    host_.write_attribute("1-2", "idVendor", "odd" + std::to_string(i));
    matcher_->rescan();
    EXPECT_THAT(matcher_->snapshot(), SizeIs(0));
  }
  EXPECT_EQ(occurrences(testing::internal::GetCapturedStderr(), "USB device 1-2 is left out"), 3);
}

TEST_F(ScannerTest, ADeviceThatCannotBeToldAnyLongerHasLeft) {
  start_with({mouse_});
  testing::internal::CaptureStderr();
  host_.write_attribute("1-2", "devnum", "\x1b[2J");
  host_.event("change", "1-2");
  EXPECT_EQ(matcher_->expect<DeviceRemoved>().sysname, "1-2");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("USB device 1-2 is left out: devnum is '\\x1b[2J'\n"));
}

// A driver of the mouse is busy: the kernel does not tell its serial number. (Nor its variables, but libudev
// reads those from regular files only.)
class BusyDeviceTest : public ScannerTest {
 protected:
  void SetUp() override {
    patience_ = std::chrono::milliseconds(100);
    mouse_.attributes["serial"] = "A1";
  }

  void plug_busy(const fake::UsbDevice& device) {
    host_.plug(device);
    host_.hold(device.sysname, "serial");
  }
};

TEST_F(BusyDeviceTest, IsToldByItsNumbersAndWholeWhenItAnswers) {
  start_with({});
  plug_busy(mouse_);
  host_.event("add", "1-2");
  const Device busy = matcher_->expect<Device>();
  EXPECT_EQ(busy.sysname, "1-2");
  EXPECT_EQ(busy.number, 2);
  EXPECT_EQ(busy.vendor, 0x046d);
  EXPECT_EQ(busy.digest, std::nullopt);
  host_.plug(fake::device("1-3", 1, 3));
  host_.event("add", "1-3");
  EXPECT_TRUE(matcher_->expect<Device>().digest);
  matcher_->rescan();
  EXPECT_EQ(matcher_->snapshot().at(0), busy);
  host_.release("1-2", "serial");
  const Device told = matcher_->expect<Device>();
  EXPECT_EQ(told.sysname, "1-2");
  EXPECT_TRUE(told.digest);
  EXPECT_THAT(told.properties, Contains(Property{"DEVTYPE", "usb_device"}));
  expect_no_more();
}

TEST_F(BusyDeviceTest, IsLookedAtAgainByEachCheck) {
  plug_busy(mouse_);
  start();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
    matcher_->check();
  }
}

TEST_F(BusyDeviceTest, IsPartOfTheFirstSnapshot) {
  plug_busy(mouse_);
  host_.plug(fake::device("1-3", 1, 3));
  start();
  const std::vector<Device> devices = matcher_->snapshot();
  ASSERT_THAT(sysnames(devices), ElementsAre("1-2", "1-3"));
  EXPECT_FALSE(devices[0].digest);
  EXPECT_TRUE(devices[1].digest);
  host_.release("1-2", "serial");
  EXPECT_TRUE(matcher_->expect<Device>().digest);
}

TEST_F(BusyDeviceTest, ThatWasToldIsWhatItWas) {
  host_.plug(mouse_);
  start();
  const std::vector<Device> before = matcher_->snapshot();
  host_.hold("1-2", "serial");
  for (int i = 0; i < 3; ++i) {
    matcher_->rescan();
    EXPECT_EQ(matcher_->snapshot(), before);
  }
  *mouse_.database = "Q:new\n";
  host_.write_database(mouse_);
  host_.event("change", "1-2");
  expect_no_more();
  host_.release("1-2", "serial");
  EXPECT_THAT(matcher_->expect<Device>().current_tags, ElementsAre("new"));
}

TEST_F(BusyDeviceTest, IsToldWithWhatTheHostNowDoesWithIt) {
  host_.show_disk("1-2");
  start_with({mouse_});
  host_.hold("1-2", "serial");
  host_.mount({{"8:17", "none"}});
  const Device told = matcher_->expect<Device>();
  EXPECT_THAT(told.host_uses, ElementsAre(HostUse{HostUseKind::kMounted, "sdb1"}));
  EXPECT_TRUE(told.digest);
}

TEST_F(BusyDeviceTest, WithOtherIdsIsNotTheOneThatLeft) {
  start_with({mouse_});
  host_.hold("1-2", "serial");
  host_.write_attribute("1-2", "idProduct", "1234");
  host_.event("change", "1-2");
  const Device told = matcher_->expect<Device>();
  EXPECT_EQ(told.product, 0x1234);
  EXPECT_FALSE(told.digest);
}

TEST_F(BusyDeviceTest, LeavesAtOnce) {
  start_with({mouse_});
  host_.hold("1-2", "serial");
  host_.event("change", "1-2");
  host_.unplug("1-2");
  host_.event("remove", "1-2");
  EXPECT_EQ(matcher_->expect<DeviceRemoved>().sysname, "1-2");
  expect_no_more();
}

TEST_F(BusyDeviceTest, OfTheSameNameIsNotTheOneThatLeft) {
  start_with({mouse_});
  host_.unplug("1-2");
  mouse_.number = 7;
  plug_busy(mouse_);
  host_.event("add", "1-2");
  const Device busy = matcher_->expect<Device>();
  EXPECT_EQ(busy.number, 7);
  EXPECT_FALSE(busy.digest);
  host_.release("1-2", "serial");
  EXPECT_TRUE(matcher_->expect<Device>().digest);
}

TEST_F(BusyDeviceTest, ThoseForWhomNobodyIsLeftAreReadWhenOneIs) {
  start_with({});
  constexpr std::size_t kBusy = Readers::kThreads;
  for (unsigned i = 1; i <= kBusy + 2; ++i) {
    const fake::UsbDevice device = fake::device("3-" + std::to_string(i), 3, i);
    host_.plug(device);
    if (i <= kBusy) host_.write_attribute(device.sysname, "serial", "A1");
    if (i <= kBusy) host_.hold(device.sysname, "serial");
    host_.event("add", device.sysname);
    EXPECT_FALSE(matcher_->expect<Device>().digest);
  }
  host_.release("3-1", "serial");
  for (const char* const sysname : {"3-1", "3-10", "3-9"}) {
    const Device told = matcher_->expect<Device>();
    EXPECT_EQ(told.sysname, sysname);
    EXPECT_TRUE(told.digest);
  }
}

TEST_F(BusyDeviceTest, IsComplainedOfOnceWhenItGoesOn) {
  start_with({mouse_});
  host_.hold("1-2", "serial");
  testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) {
    host_.event("change", "1-2");
    std::this_thread::sleep_for(patience_ + Readers::kSilentAfter / 2 + Scanner::kAnswerInterval);
  }
  std::this_thread::sleep_for(2 * Scanner::kAnswerInterval);
  matcher_->rescan();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
  EXPECT_EQ(occurrences(testing::internal::GetCapturedStderr(), "USB device 1-2 does not answer"), 1);
}

constexpr int kFree = 50;  // a descriptor that nobody has

TEST(MonitorTest, SaysWhenThereIsNoUdevd) {
  fake::Host host;
  host.stop_udevd();
  const Udev udev(udev_new());
  testing::internal::CaptureStderr();
  const Monitor monitor(udev.get(), kFree);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("udevd does not run"));
}

TEST(RouteMonitorTest, HasTheDescriptorThatItIsToHave) {
  const RouteMonitor monitor(kFree);
  EXPECT_EQ(monitor.fd(), kFree);
  EXPECT_THROW(RouteMonitor{kFree}, std::system_error) << "it is taken";
}

TEST(MonitorTest, HasTheDescriptorThatItIsToHave) {
  fake::Host host;
  const Udev udev(udev_new());
  const Monitor monitor(udev.get(), kFree);
  EXPECT_EQ(monitor.fd(), kFree);
  EXPECT_THROW(Monitor(udev.get(), kFree), std::runtime_error) << "it is taken";
  const Monitor another(udev.get(), kFree - 1);
  EXPECT_EQ(another.fd(), kFree - 1);
}

}  // namespace
}  // namespace whawty
