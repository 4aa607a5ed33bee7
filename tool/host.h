// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the tool knows of a host, as values: read from the host itself (host_reader.h, libvirt_reader.h) or
// from a record of it (record.h).
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "matcher/configuration/config.h"
#include "matcher/known/domain_table.h"
#include "matcher/known/facts.h"

namespace whawty {

// A domain that libvirt names, and the hostdevs that it has if it runs.
struct Domain {
  Guest guest;
  bool settled = true;  // libvirt has described it, if it runs
  std::vector<LiveHostdev> hostdevs{};
};

struct Host {
  DeviceMap devices;
  std::optional<std::vector<Domain>> domains;  // nothing: libvirt did not answer
};

// The running domains. Where they are not known, each machine of these configurations runs and has nothing.
std::vector<DomainView> running_domains(const Host& host, std::initializer_list<const Config*> configs);

// The device at that port, "3-6.3", or with that bus and number, "003/005" or "3/5".
const Device* find_device(const Host& host, const std::string& name);

// A variable of udev that the device has, else nothing.
const std::string* property_of(const Device& device, const std::string& name);

}  // namespace whawty
