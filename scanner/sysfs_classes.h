// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What sysfs shows by class: block devices, network interfaces, input devices, screens.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scanner/proc_lists.h"

namespace whawty {

// The members of a class, "block": their paths below /sys by name, as in "devices/pci0000:00/...".
std::map<std::string, std::string> class_members(const std::string& of);

// An attribute of a member; the names in a folder below the class. Nothing, or empty, when it is not there.
std::optional<std::string> class_attribute(const std::string& of, const std::string& member,
                                           const std::string& name);
std::vector<std::string> class_names(const std::string& of, const std::string& folder);

// USB devices, without their interfaces: their names by path below /sys.
std::map<std::string, std::string, std::less<>> usb_device_paths();

// The disks of all btrfs that are in use, wherever they are mounted.
Names disks_of_btrfs();

// Whether one of the other file systems that show themselves in sysfs is in use on a block device, in
// whatever mount namespace, and after umount --lazy.
bool has_file_system(const std::string& disk);

// Whether a network interface, or one that is made of it (a bridge, bond or VLAN, in up to eight steps), is
// among these.
bool is_below_any(const std::string& interface, const Names& interfaces);

// Whether somebody may sit at this host: a screen is connected, or could be for all that is known; or there
// is no such connector, but a frame buffer or a text console.
bool has_local_console();

}  // namespace whawty
