// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the sealed actuator may still ask of the kernel.
#pragma once

#include <array>
#include <span>

#include "common/seccomp_profile.h"

namespace whawty {

extern const std::span<const SyscallRule> kActuatorProfile;

// The folder below which it may read: devices are found by number in a folder that is open, whose links lead
// there.
inline constexpr std::array kActuatorReadable{"/sys/devices"};

}  // namespace whawty
