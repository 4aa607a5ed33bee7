// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The numbers of the descriptors of each worker: the supervisor places them there, the worker and its table
// of system calls find them there. 0 is /dev/null, 1 and 2 are the log.
#pragma once

namespace whawty {

inline constexpr int kLog = 2;       // in all
inline constexpr int kJournal = 15;  // in all but the scanner, and in the supervisor, if there is a journal

inline constexpr int kFirstPassed = 3;   // from here on they differ
inline constexpr int kAbovePassed = 16;  // and from here on there is none

inline constexpr int kScannerToMatcher = 3;
inline constexpr int kScannerHostMounts = 4;  // if --host-mounts says so: the host's mountinfo
inline constexpr int kScannerUdev = 5;        // the socket of the udev monitor, which it opens itself
inline constexpr int kScannerRoutes = 6;      // that of the monitor of routes, likewise

inline constexpr int kMatcherToSupervisor = 3;
inline constexpr int kMatcherToScanner = 4;
inline constexpr int kMatcherToActuator = 5;

inline constexpr int kActuatorToMatcher = 3;
inline constexpr int kActuatorToGate = 4;  // the place of the gate's socket, opened with O_PATH

inline constexpr int kGateToSupervisor = 3;
inline constexpr int kGateListener = 4;  // the socket at which the actuator connects

}  // namespace whawty
