// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The system calls that the sealed scanner may make.
#pragma once

#include <span>

#include "common/seccomp_profile.h"

namespace whawty {

extern const std::span<const SyscallRule> kScannerProfile;

}  // namespace whawty
