// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The alias of a hostdev that this daemon attached: the actuator writes it, and the matcher reads it in the
// live XML. libvirt keeps those of users, which begin with "ua-", as long as the hostdev is there:
// https://libvirt.org/formatdomain.html#devices
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/device_digest.h"

namespace whawty {

inline constexpr std::string_view kAliasPrefix = "ua-whawty-usb-";

// The part of a digest that an alias has room for.
inline std::uint64_t mark_of(const Digest& digest) {
  return digest[0];
}

// The occasion, the number of the matcher's request, which no other attach has, makes it unique: libvirt
// refuses an alias that the domain has already, and the stale hostdev of a device that had the same numbers
// may still be there.
std::string hostdev_alias(std::uint64_t mark, std::uint64_t occasion);

// The mark in an alias of that form; nothing in any other text.
std::optional<std::uint64_t> mark_in(std::string_view alias);

}  // namespace whawty
