// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/usb_device.h"

#include <fcntl.h>

#include <cerrno>
#include <charconv>
#include <system_error>

#include "common/text.h"

namespace whawty {
namespace {

// Of each bus 128 character devices, of major number 189: https://docs.kernel.org/admin-guide/devices.html
std::string node_of(const Hostdev& hostdev) {
  return concat("189:", (hostdev.bus - 1) * 128 + hostdev.device - 1);
}

constexpr unsigned kHubClass = 0x09;  // https://www.usb.org/defined-class-codes

std::optional<unsigned> number(const SysfsDirectory& device, const char* attribute, int base) {
  const auto text = device.attribute(attribute);
  if (!text) return std::nullopt;
  unsigned value = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, value, base);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

}  // namespace

Fd open_devices() {
  constexpr const char* kDevices = "/sys/dev/char";
  Fd devices(::open(kDevices, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!devices) throw std::system_error(errno, std::generic_category(), kDevices);
  return devices;
}

std::optional<SysfsDirectory> usb_device(const Fd& devices, const Hostdev& hostdev) {
  return SysfsDirectory::open(devices, node_of(hostdev));
}

bool has_numbers(const SysfsDirectory& device, const Hostdev& hostdev) {
  return number(device, "idVendor", 16) == hostdev.vendor &&
         number(device, "idProduct", 16) == hostdev.product && number(device, "busnum", 10) == hostdev.bus &&
         number(device, "devnum", 10) == hostdev.device;
}

// The ports are there as long as the hub's driver is; without it nothing is behind the hub, but there will be
// when that driver has it again.
bool is_barred(const SysfsDirectory& device) {
  const auto device_class = number(device, "bDeviceClass", 16);
  const bool hub = number(device, "maxchild", 10) != 0U || !device_class || device_class == kHubClass;
  return hub || number(device, "authorized", 10) != 1U;
}

}  // namespace whawty
