// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the sealed matcher may still ask of the kernel: nothing that opens, connects or starts anything.
#pragma once

#include <span>

#include "common/seccomp_profile.h"

namespace whawty {

extern const std::span<const SyscallRule> kMatcherProfile;

}  // namespace whawty
