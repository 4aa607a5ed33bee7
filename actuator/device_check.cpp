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

bool has_number(const SysfsDirectory& device, const char* attribute, int base, unsigned expected) {
  const auto text = device.attribute(attribute);
  if (!text) return false;
  unsigned value = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, value, base);
  return error == std::errc{} && rest == end && value == expected;
}

}  // namespace

DeviceCheck::Finding DeviceCheck::look(const Hostdev& hostdev, const Digest& digest) const {
  const auto device = SysfsDirectory::open(devices_, node_of(hostdev));
  const auto found = device ? digest_of(*device) : std::nullopt;
  if (!found) return Finding::kGone;
  // The numbers last: through the open directory they can be read only as long as the device is there.
  const bool meant = found == digest && has_number(*device, "idVendor", 16, hostdev.vendor) &&
                     has_number(*device, "idProduct", 16, hostdev.product) &&
                     has_number(*device, "busnum", 10, hostdev.bus) &&
                     has_number(*device, "devnum", 10, hostdev.device);
  if (meant) return Finding::kMeant;
  return device->attribute("devnum") ? Finding::kOther : Finding::kGone;
}

}  // namespace whawty
