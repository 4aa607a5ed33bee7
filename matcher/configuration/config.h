// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The configuration as values: which machine shall have which devices. Loading it is config_loader.h's.
#pragma once

#include <re2/re2.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/bounds.h"

namespace whawty {

// A udev property that a device must have, with this value or one in which the pattern is found. Exactly one
// is set.
struct PropertyCondition {
  std::string name;
  std::optional<std::string> equals;
  std::shared_ptr<const RE2> pattern;
};

// A rule of the configuration: a device matches if every condition that is given holds. At least one is
// given.
struct Rule {
  std::optional<std::uint16_t> bus;     // 1 to kMaxBus
  std::optional<std::uint16_t> device;  // 1 to kMaxDeviceNumber
  std::optional<std::uint16_t> vendor;
  std::optional<std::uint16_t> product;
  std::vector<PropertyCondition> properties;
  std::vector<std::string> tags;
  std::vector<std::string> current_tags;
  bool allow_host_device = false;  // it also gives a device that the host is using
};

// A libvirt domain, by name, and the rules for its devices: a device that matches any of them is the
// machine's.
struct Machine {
  std::string name;
  std::vector<Rule> rules;    // at least one
  bool keep_foreign = false;  // hostdevs that this daemon did not attach stay, whatever the rules say
};

struct Config {
  std::chrono::nanoseconds interval = std::chrono::seconds(5);  // over 0
  unsigned max_reconnects = kMaxReconnects;  // of a device at its port in a minute; 0: no limit
  std::vector<Machine> machines;  // in the order that decides between two machines that match one device
};

}  // namespace whawty
