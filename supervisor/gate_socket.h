// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The socket at which the actuator, and nobody else, can connect to the gate: it has no name.
#pragma once

#include <string>

#include "common/fd.h"

namespace whawty {

struct GateSocket {
  Fd listener;  // for the gate
  Fd place;     // the file that the socket is bound to, opened with O_PATH: who has it can connect
};

// The folder for it below that of the instance, created if it is missing: nobody else can reach it. To be
// opened before the seal, since root by hand has no right to what is the service's own after that. Throws
// std::runtime_error.
Fd gate_folder(const std::string& instance_folder);

// Makes a socket there, and takes its name away. Throws std::system_error.
GateSocket gate_socket(const Fd& folder);

}  // namespace whawty
