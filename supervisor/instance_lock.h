// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// One daemon per host: a host has one set of USB devices, and two daemons would take them from each other.
#pragma once

#include <string>

#include "common/fd.h"

namespace whawty {

// The folder of the lock: below /run for root and for whoever may change users, so that the service and a
// daemon started by hand meet there; else below $XDG_RUNTIME_DIR or /run/user/UID.
std::string instance_folder(bool privileged);

// Locks the folder, which is created if it is missing, for as long as the descriptor is open and this process
// lives: the kernel ends the lock, and no child has it. Throws std::runtime_error if another process has the
// lock: which one, and what to do. If the folder cannot be locked, one warning says so, and nothing is
// returned.
Fd lock_instance(const std::string& folder);

}  // namespace whawty
