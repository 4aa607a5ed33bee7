// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The digest of devices and of configurations.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace whawty {

// Four big-endian numbers.
using Sha256 = std::array<std::uint64_t, 4>;

Sha256 sha256(std::string_view bytes);

// 64 hexadecimal digits.
std::string to_string(const Sha256& digest);

}  // namespace whawty
