// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What a device is, beyond its numbers: a digest that tells it from any other that takes its place.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>

#include "common/sysfs.h"

namespace whawty {

// SHA-256 as four big-endian numbers.
using Digest = std::array<std::uint64_t, 4>;

// The digest of the device's descriptors (of itself and all its configurations, as the kernel read them at
// the plug) and of its serial number. Nothing when the device has left. Throws std::system_error when sysfs
// cannot be read.
std::optional<Digest> digest_of(const SysfsDirectory& device);

}  // namespace whawty
