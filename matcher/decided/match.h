// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether a device fits a rule. Pure functions of values; a device's strings are compared as bytes.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>

#include "matcher/configuration/config.h"
#include "protocol/device.h"

namespace whawty {

// A condition of a rule: which of its kind, where a rule may have several.
struct Condition {
  enum class Kind { kBus, kDevice, kVendor, kProduct, kTag, kCurrentTag, kProperty };
  Kind kind = Kind::kBus;
  std::size_t place = 0;
  auto operator<=>(const Condition&) const = default;
};

// The first condition, in this order, that the device does not meet. Nothing if it matches.
std::optional<Condition> first_unmet(const Rule& rule, const Device& device);

bool matches(const Rule& rule, const Device& device);

}  // namespace whawty
