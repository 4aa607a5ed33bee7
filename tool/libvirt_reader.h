// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The domains of libvirt, asked through its read-only socket.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "tool/host.h"

namespace whawty {

// All domains, or why libvirt does not tell them, printable. It waits as long as libvirt does.
std::variant<std::vector<Domain>, std::string> read_domains(const std::string& uri);

}  // namespace whawty
