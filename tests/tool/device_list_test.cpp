// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/device_list.h"

#include <gmock/gmock.h>

#include <clocale>

#include "common/text.h"
#include "tests/matcher/config_text.h"
#include "tests/values.h"

namespace whawty {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(text.substr(at, end - at));
  return lines;
}

TEST(DeviceTable, FitsTheTerminalWhateverDevicesSay) {
  constexpr Style kNarrow{.width = 80, .unicode = true};
  std::setlocale(LC_CTYPE, "C.UTF-8");
  Host host;
  for (std::uint16_t i = 0; i < 40; ++i) {
    Device device = webcam(static_cast<std::uint16_t>(i + 1), concat("3-6.", i));
    device.interface_classes = {0x0e, 0x01, 0x03, 0x08};
    device.properties = {
        {"ID_MODEL", i % 2 == 0 ? std::string(400, 'x') : "高清网络摄像头高清网络摄像头高清"},
        {"ID_SERIAL_SHORT", "\x1b[31m\n" + std::string(200, '9')},
        {"ID_VENDOR",
         "\xe2\x80\xae"
         "a\\b\x9b"}};
    if (i % 3 == 0) device.host_uses = {{HostUseKind::kMounted, "sdb1"}, {HostUseKind::kSwap, "sdb2"}};
    host.devices.emplace(device.sysname, device);
  }
  const std::vector<std::string> lines = lines_of(device_table(list_devices(host, nullptr), kNarrow));
  ASSERT_EQ(lines.size(), 41U);
  for (const std::string& line : lines) {
    EXPECT_LE(columns_of(line), 80U) << line;
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(clean(line, kNarrow).size(), line.size() + 3 * std::size_t(std::ranges::count(line, '\\')))
        << line;
  }
}

Host host_of(const std::vector<Device>& devices, const std::vector<Domain>& domains = {}) {
  Host host{{}, domains};
  for (const Device& one : devices) host.devices.emplace(one.sysname, one);
  return host;
}

std::string row_of(const Host& host, const Rulebook* rules = nullptr) {
  return lines_of(device_table(list_devices(host, rules), {})).at(1);
}

TEST(DeviceTable, SaysWhoHasADevice) {
  const Domain guest{{"a", kUuid, true}, true, {{hostdev_of(webcam()), true, {}}}};
  Device hub = device_at("1-3");
  hub.device_class = kHubClass;
  for (const auto& [host, state] : {
           std::pair{host_of({webcam()}), "free"},
           {host_of({webcam()}, {guest}), "guest a"},
           {host_of({mounted(webcam())}), "host: mounted sdb1"},
           {host_of({not_authorized(webcam())}), "not authorized"},
           {host_of({silent(webcam())}), "does not answer"},
           {host_of({hub}), "hub"},
       })
    EXPECT_TRUE(row_of(host).ends_with(state)) << row_of(host);
}

TEST(DeviceTable, SaysWhichRuleGivesIt) {
  const Rulebook rules(config("a: bus: 9 | bus: 1; b: bus: 1"));
  const Domain guest{{"b", kUuid, true}, true, {{hostdev_of(webcam()), true, {}}}};
  EXPECT_TRUE(row_of(host_of({webcam()}), &rules).ends_with("  free   a[1] +1"));
  EXPECT_TRUE(row_of(host_of({webcam()}, {guest}), &rules).ends_with("  guest b  b[0] +1"));
  EXPECT_TRUE(row_of(host_of({scale()}), &rules).ends_with("  free   -"));
}

TEST(DeviceTable, NamesADeviceAsItDoesItselfElseAsUdevKnowsIt) {
  Device device = webcam();
  device.properties = {{"ID_MODEL", "0825"},
                       {"ID_MODEL_FROM_DATABASE", "Webcam C270"},
                       {"ID_VENDOR", "The_maker"},
                       {"ID_VENDOR_FROM_DATABASE", "Logitech, Inc."}};
  EXPECT_EQ(title_of(device), "The maker Webcam C270");
  EXPECT_EQ(title_of(scale()), "");
}

TEST(DeviceTable, ANameDoesNotLookLikeColumns) {
  Device device = webcam();
  device.properties = {{"ID_MODEL", "Webcam____AB1______video"}};
  EXPECT_EQ(title_of(device), "Webcam AB1 video");
}

TEST(FindDevice, ByPortOrByNumber) {
  const Host host = host_of({webcam(5, "3-6.3")});
  for (const char* const name : {"3-6.3", "003/005", "3/5"})
    EXPECT_NE(find_device(host, name), nullptr) << name;
  for (const char* const name : {"3-6", "3/6", "3/", "/5", "3/5/", "99999/5", ""})
    EXPECT_EQ(find_device(host, name), nullptr) << name;
}

}  // namespace
}  // namespace whawty
