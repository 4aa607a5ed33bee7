// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What `devices` shows.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "matcher/decided/rulebook.h"
#include "tool/host.h"
#include "tool/json.h"
#include "tool/text_layout.h"

namespace whawty {

// The devices, and what is asked of them besides what they are.
struct DeviceList {
  std::vector<const Device*> devices;         // in the order of bus and number
  std::map<std::string, std::string> guests;  // by sysname, of those that a guest has
  const Rulebook* rules = nullptr;
};

DeviceList list_devices(const Host& host, const Rulebook* rules);

std::string device_table(const DeviceList& list, const Style& style);

// Everything, line by line, in the words of the daemon's log.
std::string device_details(const DeviceList& list);

Json device_json(const DeviceList& list);

// The members by which all documents name a device.
Json device_name_json(const Device& device);

// Who makes it and what it is, as the device says it, else as udev's database does.
std::string title_of(const Device& device);

}  // namespace whawty
