// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/device_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <system_error>

#include "fake_host.h"
#include "scanner/udev.h"

namespace whawty {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class DeviceReaderTest : public testing::Test {
 protected:
  Reading read(const std::string& sysname) { return read_device(udev_.get(), sysname); }

  // Reads a device that must be told without a complaint.
  Device whole(const fake::UsbDevice& device) {
    host_.plug(device);
    Reading reading = read(device.sysname);
    EXPECT_EQ(reading.complaint, "");
    return reading.device.value();
  }

  fake::Host host_;
  Udev udev_{udev_new()};
  fake::UsbDevice camera_ = fake::device("3-6.3", 3, 5);
};

TEST_F(DeviceReaderTest, ReadsNumbersAndClasses) {
  camera_.attributes["bDeviceClass"] = "ef";
  camera_.attributes["3-6.3:1.1/bInterfaceClass"] = "0e";
  camera_.attributes["3-6.3:1.2/bInterfaceClass"] = "ff";
  camera_.attributes["ep_00/bInterfaceClass"] = "77";
  const Device device = whole(camera_);
  EXPECT_EQ(device.sysname, "3-6.3");
  EXPECT_EQ(device.bus, 3);
  EXPECT_EQ(device.number, 5);
  EXPECT_EQ(device.vendor, 0x046d);
  EXPECT_EQ(device.product, 0x0825);
  EXPECT_EQ(device.device_class, 0xef);
  EXPECT_THAT(device.interface_classes, ElementsAre(0x03, 0x0e, 0xff));
  EXPECT_FALSE(device.properties_omitted);
}

TEST_F(DeviceReaderTest, PropertiesAreThoseOfTheKernelAndOfUdevSorted) {
  camera_.uevent = "DRIVER=usb\nPRODUCT=46d/825/10\n";
  camera_.database = "E:ID_SERIAL=a b\nE:ID_MODEL=0825\nG:seat\nQ:seat\n";
  EXPECT_THAT(
      whole(camera_).properties,
      ElementsAre(Property{"DEVNAME", "/dev/bus/usb/3/5"}, Property{"DEVPATH", "/devices/pci0/3-6.3"},
                  Property{"DEVTYPE", "usb_device"}, Property{"DRIVER", "usb"}, Property{"ID_MODEL", "0825"},
                  Property{"ID_SERIAL", "a b"}, Property{"MAJOR", "189"}, Property{"MINOR", "260"},
                  Property{"PRODUCT", "46d/825/10"}, Property{"SUBSYSTEM", "usb"},
                  Property{"USEC_INITIALIZED", "1"}));
}

TEST_F(DeviceReaderTest, TagsAndCurrentTagsAreTwoSortedLists) {
  camera_.database = "G:uaccess\nG:seat\nG:old\nQ:uaccess\nQ:seat\nV:1\n";
  const Device device = whole(camera_);
  EXPECT_THAT(device.tags, ElementsAre("old", "seat", "uaccess"));
  EXPECT_THAT(device.current_tags, ElementsAre("seat", "uaccess"));
}

TEST_F(DeviceReaderTest, ReadsWhetherTheHostHasAuthorizedIt) {
  EXPECT_TRUE(whole(camera_).authorized);
  host_.write_attribute("3-6.3", "authorized", "0");
  EXPECT_FALSE(read("3-6.3").device.value().authorized);
  EXPECT_FALSE(read_facts("3-6.3").value().authorized);
}

// "1.0 1.1": what the drivers of two interfaces make of the device.
struct Drivers {
  const char* name;
  std::string first, second;
  DriverKind kind;
  std::string host_driver;
};

void PrintTo(const Drivers& drivers, std::ostream* out) {
  *out << drivers.name;
}

class DriversTest : public DeviceReaderTest, public testing::WithParamInterface<Drivers> {};

TEST_P(DriversTest, ReadsWhoHasTheInterfaces) {
  camera_.attributes["3-6.3:1.1/bInterfaceClass"] = "0e";
  host_.plug(camera_);
  host_.drive("3-6.3:1.0", GetParam().first);
  host_.drive("3-6.3:1.1", GetParam().second);
  for (const Device& device : {read("3-6.3").device.value(), read_facts("3-6.3").value()}) {
    EXPECT_EQ(device.driver, GetParam().kind);
    EXPECT_EQ(device.host_driver, GetParam().host_driver);
    EXPECT_THAT(device.interface_classes, ElementsAre(0x03, 0x0e));
  }
}

INSTANTIATE_TEST_SUITE_P(DeviceReader, DriversTest,
                         testing::Values(Drivers{"None", "", "", DriverKind::kNone, ""},
                                         Drivers{"AProgram", "usbfs", "usbfs", DriverKind::kUsbfs, ""},
                                         Drivers{"AProgramHasOne", "", "usbfs", DriverKind::kUsbfs, ""},
                                         Drivers{"TheHost", "uvcvideo", "snd", DriverKind::kHost, "uvcvideo"},
                                         Drivers{"TheHostHasOne", "", "snd", DriverKind::kHost, "snd"},
                                         Drivers{"Both", "usbfs", "usbhid", DriverKind::kHost, "usbhid"},
                                         Drivers{"ALongName", std::string(40, 'x'), "", DriverKind::kHost,
                                                 std::string(32, 'x')}),
                         [](const auto& test) { return test.param.name; });

TEST_F(DeviceReaderTest, ReadsARootHub) {
  fake::UsbDevice hub = fake::device("usb3", 3, 1);
  hub.attributes = {{"idVendor", "1d6b"},
                    {"idProduct", "0002"},
                    {"bDeviceClass", "09"},
                    {"authorized", "1"},
                    {"3-0:1.0/bInterfaceClass", "09"}};
  const Device device = whole(hub);
  EXPECT_EQ(device.device_class, kHubClass);
  EXPECT_THAT(device.interface_classes, ElementsAre(kHubClass));
}

TEST_F(DeviceReaderTest, HostileBytesAreToldAsTheyAre) {
  const std::string hostile = "\x01\x1b[31m\xff\xc3,\\x41\x7f";
  camera_.database = "E:ID_SERIAL_SHORT=" + hostile + "\n";
  EXPECT_THAT(whole(camera_).properties, Contains(Property{"ID_SERIAL_SHORT", hostile}));
}

TEST_F(DeviceReaderTest, WhatIsNotThereIsNothing) {
  const Reading reading = read("3-6.3");
  EXPECT_FALSE(reading.device);
  EXPECT_EQ(reading.complaint, "");
}

TEST_F(DeviceReaderTest, ADeviceWithoutAConfigurationHasNoInterfaces) {
  camera_.attributes.erase("3-6.3:1.0/bInterfaceClass");
  EXPECT_THAT(whole(camera_).interface_classes, IsEmpty());
}

struct Oversized {
  const char* name;
  std::string database;
};

void PrintTo(const Oversized& record, std::ostream* out) {
  *out << record.name;
}

class OversizedTest : public DeviceReaderTest, public testing::WithParamInterface<Oversized> {};

std::string repeat(const std::string& start, int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) lines += start + std::to_string(i) + "=x\n";
  return lines;
}

TEST_P(OversizedTest, IsToldWithoutPropertiesAndTags) {
  camera_.database = "G:seat\nQ:seat\n" + GetParam().database;
  host_.plug(camera_);
  const Reading reading = read("3-6.3");
  ASSERT_TRUE(reading.device);
  EXPECT_TRUE(reading.device->properties_omitted);
  EXPECT_THAT(reading.device->properties, IsEmpty());
  EXPECT_THAT(reading.device->tags, IsEmpty());
  EXPECT_THAT(reading.device->current_tags, IsEmpty());
  EXPECT_EQ(reading.device->vendor, 0x046d);
  EXPECT_THAT(reading.complaint, HasSubstr("without its properties"));
}

INSTANTIATE_TEST_SUITE_P(DeviceReader, OversizedTest,
                         testing::Values(Oversized{"AValue", "E:A=" + std::string(33 * 1024, 'x') + "\n"},
                                         Oversized{"AName", "E:" + std::string(257, 'N') + "=1\n"},
                                         Oversized{"ATag", "G:" + std::string(257, 't') + "\n"},
                                         Oversized{"TooManyProperties", repeat("E:P", 1025)},
                                         Oversized{"TooManyTags", repeat("G:t", 1025)},
                                         Oversized{"TheWholeRecord",
                                                   "E:A=" + std::string(32 * 1024, 'x') +
                                                       "\nE:B=" + std::string(32 * 1024, 'x') + "\n"}),
                         [](const auto& test) { return test.param.name; });

TEST_F(DeviceReaderTest, TheLargestValueIsToldWhole) {
  const std::string value(32 * 1024, 'x');
  camera_.database = "E:A=" + value + "\n";
  EXPECT_THAT(whole(camera_).properties, Contains(Property{"A", value}));
}

struct Nonsensical {
  const char* name;
  const char* attribute;
  std::string content;
};

void PrintTo(const Nonsensical& value, std::ostream* out) {
  *out << value.name;
}

class NonsensicalTest : public DeviceReaderTest, public testing::WithParamInterface<Nonsensical> {};

TEST_P(NonsensicalTest, IsLeftOutWithAReasonOfPrintableText) {
  host_.plug(camera_);
  host_.write_attribute("3-6.3", GetParam().attribute, GetParam().content);
  const Reading reading = read("3-6.3");
  EXPECT_FALSE(reading.device);
  EXPECT_THAT(reading.complaint, HasSubstr("left out"));
  EXPECT_THAT(reading.complaint, Not(Contains('\x1b')));
}

INSTANTIATE_TEST_SUITE_P(
    DeviceReader, NonsensicalTest,
    testing::Values(Nonsensical{"NumberZero", "devnum", "0"}, Nonsensical{"NumberTooLarge", "devnum", "128"},
                    Nonsensical{"BusTooLarge", "busnum", "1000"},
                    Nonsensical{"BusOf17Bits", "busnum", "65537"}, Nonsensical{"Negative", "busnum", "-1"},
                    Nonsensical{"Empty", "devnum", ""}, Nonsensical{"TextAfterIt", "idVendor", "046d x"},
                    Nonsensical{"FiveDigits", "idProduct", "10825"},
                    Nonsensical{"NeitherYesNorNo", "authorized", "x"},
                    Nonsensical{"Escapes", "bDeviceClass", "\x1b[31m"},
                    Nonsensical{"AnInterface", "3-6.3:1.0/bInterfaceClass", "100"}),
    [](const auto& test) { return test.param.name; });

TEST_F(DeviceReaderTest, ADeviceThatVanishesWhileItIsReadIsNothing) {
  host_.plug(camera_);
  const auto reader = host_.when_read("3-6.3", "idProduct", [this] { host_.unplug("3-6.3"); });
  const Reading reading = read("3-6.3");
  EXPECT_FALSE(reading.device);
  EXPECT_EQ(reading.complaint, "");
}

TEST_F(DeviceReaderTest, ADeviceThatIsReplacedWhileItIsReadIsReadAgain) {
  camera_.database = "E:ID_MODEL=old\n";
  host_.plug(camera_);
  fake::UsbDevice next = fake::device("3-6.3", 3, 6);
  next.attributes["idVendor"] = "1234";
  next.database = "E:ID_MODEL=new\n";
  const auto reader = host_.when_read("3-6.3", "idProduct", [&] {
    host_.unplug("3-6.3");
    host_.plug(next);
  });
  const Device device = read("3-6.3").device.value();
  EXPECT_EQ(device.number, 6);
  EXPECT_EQ(device.vendor, 0x1234);
  EXPECT_THAT(device.properties, Contains(Property{"ID_MODEL", "new"}));
}

TEST_F(DeviceReaderTest, ANumberThatChangesInPlaceIsReadAgain) {
  host_.plug(camera_);
  const auto reader =
      host_.when_read("3-6.3", "idProduct", [this] { host_.write_attribute("3-6.3", "devnum", "9"); });
  EXPECT_EQ(read("3-6.3").device.value().number, 9);
}

TEST_F(DeviceReaderTest, WhatUdevHasNotProcessedIsNotThereYet) {
  camera_.attributes["power/connected_duration"] = "29999";
  camera_.database.reset();
  host_.plug(camera_);
  EXPECT_FALSE(read("3-6.3").device);
  EXPECT_EQ(read("3-6.3").complaint, "");
  camera_.database = "";
  host_.write_database(camera_);
  EXPECT_TRUE(read("3-6.3").device);
}

TEST_F(DeviceReaderTest, WithoutAnAgeItIsUdevThatDecides) {
  camera_.database.reset();
  host_.plug(camera_);
  EXPECT_FALSE(read("3-6.3").device);
}

TEST_F(DeviceReaderTest, WhatUdevNeverProcessesCountsAfterAWhile) {
  camera_.attributes["power/connected_duration"] = "30000";
  camera_.database.reset();
  EXPECT_EQ(whole(camera_).product, 0x0825);
}

TEST_F(DeviceReaderTest, WithoutUdevdSysfsAloneCounts) {
  host_.stop_udevd();
  camera_.database.reset();
  const Device device = whole(camera_);
  EXPECT_THAT(device.properties, Contains(Property{"MINOR", "260"}));
  EXPECT_THAT(device.tags, IsEmpty());
}

// However long it has been plugged, and whether or not udevd runs: what is not known looks like nothing else.
TEST_F(DeviceReaderTest, ARecordThatCannotBeReadIsNotTakenForNone) {
  camera_.attributes["power/connected_duration"] = "30000";
  host_.plug(camera_);
  host_.spoil_database(camera_);
  for (const bool udevd : {true, false}) {
    if (!udevd) host_.stop_udevd();
    const Reading reading = read("3-6.3");
    EXPECT_TRUE(reading.unread) << udevd;
    EXPECT_FALSE(reading.device) << udevd;
    EXPECT_EQ(reading.complaint, "stays what it was, udev's record of it cannot be read: Is a directory");
  }
  host_.write_database(camera_);
  EXPECT_FALSE(read("3-6.3").unread);
  EXPECT_TRUE(read("3-6.3").device);
}

TEST_F(DeviceReaderTest, ADeviceThatLeftIsGoneThoughItsRecordCannotBeRead) {
  host_.plug(camera_);
  host_.spoil_database(camera_);
  host_.unplug("3-6.3");
  EXPECT_FALSE(read("3-6.3").unread);
}

TEST_F(DeviceReaderTest, OnlyASocketThatDoesNotExistSaysThatNoUdevdRuns) {
  camera_.database.reset();
  host_.plug(camera_);
  host_.stop_udevd();
  EXPECT_TRUE(read("3-6.3").device);
  std::filesystem::create_symlink("control", "/run/udev/control");  // to itself
  EXPECT_THROW(read("3-6.3"), std::system_error);
  std::filesystem::remove_all("/run/udev");
  std::ofstream("/run/udev") << "no folder";
  EXPECT_TRUE(read("3-6.3").unread) << "for that of the record is another question";
}

}  // namespace
}  // namespace whawty
