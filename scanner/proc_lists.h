// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the kernel's lists say. Pure functions of their text; a line that is not as expected is passed over.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace whawty {

using Names = std::set<std::string, std::less<>>;

// What is mounted: block devices by their numbers, "8:17", and by their names, "sdb1". A file system on
// several disks may have a number of its own, and names only one of them.
struct Mounted {
  Names numbers;
  Names names;
};
Mounted parse_mountinfo(std::string_view text);  // proc(5), /proc/[pid]/mountinfo

// The names of the block devices that are swapped to.
Names parse_swaps(std::string_view text);  // proc(5), /proc/swaps

// Network interfaces with a default route that is up and leads somewhere.
Names parse_routes(std::string_view text);       // /proc/net/route
Names parse_ipv6_routes(std::string_view text);  // /proc/net/ipv6_route

// Whether an input device is a keyboard, by its attributes capabilities/ev and capabilities/key. As udev's
// ID_INPUT_KEYBOARD: it has all keys from Escape to D.
bool is_keyboard(std::string_view ev, std::string_view key);

}  // namespace whawty
