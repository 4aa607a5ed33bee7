// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/device_check.h"

#include <charconv>

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

// What sysfs does not say bars, too. The ports are there as long as the hub's driver is; without it nothing
// is behind the hub, but there will be when that driver has it again.
bool is_barred(const SysfsDirectory& device) {
  const auto device_class = number(device, "bDeviceClass", 16);
  const bool hub = number(device, "maxchild", 10) != 0U || !device_class || device_class == kHubClass;
  return hub || number(device, "authorized", 10) != 1U;
}

}  // namespace

DeviceCheck::Finding DeviceCheck::look(const Hostdev& hostdev, const Digest& digest) const {
  const auto device = SysfsDirectory::open(devices_, node_of(hostdev));
  const auto found = device ? digest_of(*device) : std::nullopt;
  if (!found) return Finding::kGone;
  const bool barred = is_barred(*device);
  // The numbers last: through the open directory they can be read only as long as the device is there.
  const bool meant = found == digest && number(*device, "idVendor", 16) == hostdev.vendor &&
                     number(*device, "idProduct", 16) == hostdev.product &&
                     number(*device, "busnum", 10) == hostdev.bus &&
                     number(*device, "devnum", 10) == hostdev.device;
  if (meant) return barred ? Finding::kBarred : Finding::kMeant;
  return device->attribute("devnum") ? Finding::kOther : Finding::kGone;
}

}  // namespace whawty
