// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Where the libvirt daemon that a URI names listens.
#pragma once

#include <string>
#include <vector>

namespace whawty {

// The paths of its socket, in the order in which they are to be tried: of qemu:///system the two that libvirt
// has, or what ?socket= says. None for any other URI. https://libvirt.org/uri.html
std::vector<std::string> libvirt_sockets(const std::string& uri);

}  // namespace whawty
