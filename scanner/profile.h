// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the sealed scanner may still ask of the kernel.
#pragma once

#include <array>
#include <span>

#include "common/seccomp_profile.h"

namespace whawty {

extern const std::span<const SyscallRule> kScannerProfile;

// The folders below which it may read. Those of sysfs are there on every kernel, before anything is plugged
// and before a driver or a file system is loaded: what comes later comes below one of them.
inline constexpr std::array kScannerReadable{
    "/sys/bus",      // the list of USB devices
    "/sys/class",    // lists of disks, interfaces, input devices and consoles
    "/sys/devices",  // what these lists lead to
    "/sys/fs",       // file systems, with the disks that they are on
    "/run/udev",     // udev's data
};

}  // namespace whawty
