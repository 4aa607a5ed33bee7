// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/suggestion.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <clocale>

#include "matcher/configuration/config_loader.h"
#include "matcher/decided/rulebook.h"
#include "tests/values.h"

namespace whawty {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

Device at_path(Device device, const std::string& path) {
  device.properties.insert(device.properties.begin(), {"ID_PATH", path});
  return device;
}

std::variant<Suggestion, std::string> made(const Device& device, const std::vector<Device>& others = {},
                                           const std::string& machine = "guest") {
  static DeviceMap devices;
  devices.clear();
  devices.emplace(device.sysname, device);
  for (const Device& one : others) devices.emplace(one.sysname, one);
  return suggest(devices.at(device.sysname), devices, machine, {.unicode = true});
}
Suggestion good(const Device& device, const std::vector<Device>& others = {}) {
  return std::get<Suggestion>(made(device, others));
}

TEST(Suggestion, ADeviceWithASerialNumberOfItsOwnIsKnownByIt) {
  EXPECT_EQ(good(webcam(5, "3-6.3"), {twin_of_webcam()}).yaml,
            "# machines.d/guest.yml\n"
            "# now at port 3-6.3.\n"
            "# It has a serial number of its own: it is known wherever it is plugged.\n"
            "devices:\n"
            "- vendor-id: 0x046d\n"
            "  product-id: 0x0825\n"
            "  udev: {env: [{name: ID_SERIAL_SHORT, equals: '3187B60'}]}\n");
}

TEST(Suggestion, OneWithoutIsKnownByItsSocket) {
  const Device plain = at_path(device_at("3-1"), "pci-0000:00:14.0-usb-0:1");
  EXPECT_THAT(good(plain).yaml,
              EndsWith("  product-id: 0x0825\n"
                       "  bus: 3\n"
                       "  udev: {env: [{name: ID_PATH, equals: 'pci-0000:00:14.0-usb-0:1'}]}\n"));
  EXPECT_THAT(good(plain).yaml, HasSubstr("# It has no serial number.\n# So it is known by its socket"));
  Device newer = plain;
  newer.properties.push_back({"ID_PATH_WITH_USB_REVISION", "pci-0000:00:14.0-usbv2-0:1"});
  EXPECT_THAT(good(newer).yaml,
              EndsWith("  product-id: 0x0825\n  udev: {env: [{name: ID_PATH_WITH_USB_REVISION, equals: "
                       "'pci-0000:00:14.0-usbv2-0:1'}]}\n"));
}

TEST(Suggestion, ASerialNumberThatTellsNothingIsNotUsed) {
  for (const char* const serial : {"0", "000000000000", "0123456789", "123456", "\xff", "a\x1b"})
    EXPECT_THAT(good(at_path(with_serial(device_at("3-1"), serial), "p")).yaml, HasSubstr("name: ID_PATH"))
        << serial;
  const Device one = webcam(5, "1-1");
  const Suggestion shared = good(one, {webcam(6, "1-2")});
  EXPECT_THAT(shared.yaml, HasSubstr("# Another device here has its serial number, 3187B60.\n"));
  EXPECT_EQ(shared.others.size(), 1U);  // udev has told no path
}

TEST(Suggestion, IsARuleThatMatchesItWhateverItSays) {
  for (const char* const text :
       {"it's", "# no", "a: b", "'}]}\ndevices: [bus: 1]", "\xe6\x91\x84", "{{", "\\x"}) {
    Device device = at_path(with_serial(device_at("3-1"), text), text);
    device.properties.push_back({"ID_MODEL", text});
    std::ranges::sort(device.properties, {}, &Property::name);
    const auto result = made(device);
    const std::string& yaml = std::get<Suggestion>(result).yaml;
    const std::vector<ConfigText> files{{"", "", "{}"}, {"", "guest", yaml}};
    const auto loaded = load_config(files);
    ASSERT_TRUE(std::holds_alternative<LoadedConfig>(loaded)) << yaml;
    EXPECT_EQ(Rulebook(std::get<LoadedConfig>(loaded).config).claims(device).size(), 1U) << yaml;
  }
}

TEST(Suggestion, IsAsciiWhereTheLocaleIsNotUtf8) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  Device device = device_at("3-1");
  device.properties = {{"ID_MODEL", "\xe7\x9b\x9b"}};  // 0x9b is CSI to a terminal of 8 bits
  const DeviceMap devices{{"3-1", device}};
  EXPECT_THAT(std::get<Suggestion>(suggest(device, devices, "guest", {})).yaml,
              HasSubstr("\n# \\xe7\\x9b\\x9b, now at port 3-1.\n"));
  EXPECT_THAT(good(device).yaml, HasSubstr("\n# \xe7\x9b\x9b, now at port 3-1.\n"));
}

TEST(Suggestion, SaysWhyThereIsNone) {
  EXPECT_THAT(std::get<std::string>(made(device_at("3-1", 2, 0, 1))),
              EndsWith("no guest can have it: it has no vendor id"));
  Device hub = device_at("3-1");
  hub.device_class = kHubClass;
  EXPECT_THAT(std::get<std::string>(made(hub)), EndsWith("no guest can have it: it is a hub"));
  EXPECT_THAT(std::get<std::string>(made(webcam(), {}, "a/b")), HasSubstr("cannot be the name of a file"));
}

TEST(Suggestion, SaysWhatKeepsTheDeviceFromTheGuest) {
  EXPECT_THAT(good(mounted(webcam())).yaml, HasSubstr("# The host uses it: sdb1 is mounted.\n"));
  EXPECT_THAT(good(not_authorized(webcam())).yaml, HasSubstr("# The host has not authorized it."));
}

}  // namespace
}  // namespace whawty
