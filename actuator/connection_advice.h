// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What somebody who reads the log can do about libvirt that lets the actuator wait.
#pragma once

#include <string_view>

namespace whawty {

// ": what to do", by a virErrorNumber and, of VIR_ERR_SYSTEM_ERROR, errno; empty where these say too little.
std::string_view connection_advice(int code, int system_error);

}  // namespace whawty
