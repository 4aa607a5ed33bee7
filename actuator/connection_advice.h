// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What somebody who reads the log can do about libvirt that lets the actuator wait.
#pragma once

#include <string_view>

namespace whawty {

// ": what to do", by a virErrorNumber; empty where it says too little. The gate has advice of its own for a
// libvirt that is not there.
std::string_view connection_advice(int code);

}  // namespace whawty
