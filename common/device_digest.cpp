// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/device_digest.h"

#include <string>

#include "common/sha256.h"

namespace whawty {
namespace {

// The kernel gives the device descriptor and at most 64 KiB of each of at most 8 configurations.
constexpr std::size_t kMaxDescriptors = 18 + 8 * 65536;

}  // namespace

std::optional<Digest> digest_of(const SysfsDirectory& device) {
  const auto descriptors = device.content("descriptors", kMaxDescriptors);
  if (!descriptors) return std::nullopt;
  // Many devices have no serial number, and then no such file. The length keeps the two parts apart.
  const std::string serial = device.attribute("serial").value_or("");
  return sha256(std::to_string(descriptors->size()) + ':' + *descriptors + serial);
}

}  // namespace whawty
