// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Devices, hostdevs and rules by name. A test says of them what matters to it; all else is said here.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/domain.h"
#include "protocol/device.h"

namespace whawty {

inline constexpr Uuid kUuid{0x0123456789abcdef, 0xfedcba9876543210};
inline constexpr Digest kDigest{1, 2, 3, 0xffffffffffffffff};
inline constexpr Hostdev kHostdev{3, 5, 0x046d, 0x0825};

// A device at this port, whose name begins with its bus; "usb1" is the root hub's. It answers, and the host
// makes no use of it.
inline Device device_at(const std::string& port, std::uint16_t number = 2, std::uint16_t vendor = 0x046d,
                        std::uint16_t product = 0x0825) {
  Device device;
  device.sysname = port;
  device.bus = static_cast<std::uint16_t>(std::stoi(port.substr(port.find_first_of("0123456789"))));
  device.number = number;
  device.vendor = vendor;
  device.product = product;
  device.digest = Digest{};
  return device;
}

inline Device with_serial(Device device, const std::string& serial) {
  device.properties = {{"ID_SERIAL_SHORT", serial}};
  return device;
}

inline Device webcam(std::uint16_t number = 5, const std::string& port = "1-1") {
  Device device = with_serial(device_at(port, number), "3187B60");
  device.interface_classes = {0x0e};
  return device;
}
inline Device twin_of_webcam() {
  return with_serial(webcam(6, "1-2"), "TWIN");
}
inline Device scale() {
  Device device = device_at("2-1", 7, 0x0922, 0x8003);
  device.interface_classes = {0x03};
  return device;
}

// It uses every field, with bytes that no text would have.
inline Device device_with_everything() {
  Device device = webcam(5, "3-6.3");
  device.device_class = 0xef;
  device.interface_classes = {0x0e, 0x01, 0xff};
  device.properties = {{"A", ""}, {"B\xff", std::string("\0\n\x1b", 3)}, {"ID_SERIAL_SHORT", "3187B60"}};
  device.tags = {"seat", "uaccess"};
  device.current_tags = {"\n"};
  device.digest = kDigest;
  device.host_uses = {{HostUseKind::kMounted, "sdb1"}, {HostUseKind::kKeyboard, "\xff\n"}};
  device.authorized = false;
  device.driver = DriverKind::kHost;
  device.host_driver = "\xff\n";
  return device;
}

// It does not answer.
inline Device silent(Device device) {
  device.digest.reset();
  return device;
}
inline Device with_digest(Device device, const Digest& digest) {
  device.digest = digest;
  return device;
}
// udev first saw it at this time.
inline Device connected_at(const std::string& microseconds, Device device) {
  device.properties.push_back({"USEC_INITIALIZED", microseconds});
  return device;
}
inline Device tagged(Device device, const std::vector<std::string>& tags) {
  device.tags = tags;
  return device;
}
inline Device not_authorized(Device device) {
  device.authorized = false;
  device.interface_classes.clear();
  return device;
}
// A driver of the host has it.
inline Device driven(Device device, const std::string& driver = "usbhid") {
  device.driver = DriverKind::kHost;
  device.host_driver = driver;
  return device;
}
inline Device used(Device device, const std::vector<HostUse>& uses) {
  device.host_uses = uses;
  return device;
}
inline Device mounted(Device device) {
  return used(std::move(device), {{HostUseKind::kMounted, "sdb1"}});
}
inline Device keyboard(Device device) {
  return used(std::move(device), {{HostUseKind::kKeyboard, "input5"}});
}

// Hostdevs of a device that give one pair of numbers only.
inline Hostdev by_address(const Device& device) {
  return {device.bus, device.number, 0, 0};
}
inline Hostdev by_ids(const Device& device) {
  return {0, 0, device.vendor, device.product};
}

inline std::string replaced(std::string text, std::string_view part, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += by.size())
    text.replace(at, part.size(), by);
  return text;
}

// A configuration. "a: bus: 9 | bus: 1; b: device: 5" is machine a with two rules and b with one.
inline std::string yaml_of(const std::string& machines, const std::string& keys = "interval: 1h") {
  std::string all;
  for (std::size_t at = 0; at < machines.size();) {
    const std::size_t end = std::min(machines.find("; ", at), machines.size());
    const std::size_t rules = machines.find(": ", at) + 2;
    if (at > 0) all += ", ";
    all += machines.substr(at, rules - at) + "{devices: [{" +
           replaced(machines.substr(rules, end - rules), " | ", "}, {") + "}]}";
    at = end + 2;
  }
  return "{" + keys + ", machines: {" + all + "}}";
}

inline constexpr char kWebcamToA[] = "a: vendor-id: 0x046d";

}  // namespace whawty
