// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the supervisor may ask of the kernel. Its workers inherit this profile until they load their own, so
// it has what a program needs to start, and libvirt's client and the gate to connect.
#pragma once

#include <span>

#include "common/seccomp_profile.h"

namespace whawty {

extern const std::span<const SyscallRule> kSupervisorProfile;

}  // namespace whawty
