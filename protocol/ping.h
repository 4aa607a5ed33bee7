// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether a process is alive: the same question on every channel that leads away from the supervisor, and the
// same answer on every one that leads back, but that of the actuator, where a result ends each request.
#pragma once

namespace whawty {

struct Ping {};
struct Pong {};

}  // namespace whawty
