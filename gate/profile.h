// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the sealed gate may still ask of the kernel.
#pragma once

#include <array>
#include <span>

#include "common/seccomp_profile.h"

namespace whawty {

extern const std::span<const SyscallRule> kGateProfile;

// The folder below which it may read: as the actuator's.
inline constexpr std::array kGateReadable{"/sys/devices"};

}  // namespace whawty
