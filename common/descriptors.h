// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The numbers at which the supervisor places the descriptors of each worker. 0 is /dev/null, 1 and 2 are the
// log.
#pragma once

namespace whawty {

inline constexpr int kScannerToMatcher = 3;  // in the scanner
inline constexpr int kScannerHostMounts =
    4;  // in the scanner, if --host-mounts says so: the host's mountinfo
inline constexpr int kScannerUdev =
    5;  // in the scanner: the socket of the udev monitor, which it opens itself

inline constexpr int kMatcherToSupervisor = 3;  // in the matcher
inline constexpr int kMatcherToScanner = 4;     // in the matcher
inline constexpr int kMatcherToActuator = 5;    // in the matcher

inline constexpr int kActuatorToMatcher = 3;  // in the actuator

}  // namespace whawty
