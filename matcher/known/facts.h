// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What is known of the host's devices and of libvirt's domains, as values: what decisions are made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/domain.h"
#include "protocol/device.h"

namespace whawty {

// Of all times that the matcher is told.
using Clock = std::chrono::steady_clock;

using DeviceMap = std::map<std::string, Device>;  // by sysname

// The numbers that name a device to libvirt.
inline Hostdev hostdev_of(const Device& device) {
  return {device.bus, device.number, device.vendor, device.product};
}

// Two numbers as a key: of a bus and a device, or of a vendor and a product.
inline std::uint32_t pair_of(std::uint16_t one, std::uint16_t other) {
  return std::uint32_t{one} << 16 | other;
}

// A hostdev of a running domain, with the numbers that its live XML gives.
struct LiveHostdev : Hostdev {
  bool ours = false;                  // this daemon attached it, says its alias
  std::optional<std::uint64_t> mark;  // of the device that it attached, likewise: see hostdev_alias.h
  // There was no such device when the guest started, or when it was attached. QEMU was told no number then,
  // and takes any device that it can open.
  bool missing = false;
  auto operator<=>(const LiveHostdev&) const = default;
};

// A running domain.
struct DomainView {
  Uuid uuid;
  std::string name;
  std::vector<LiveHostdev> hostdevs;  // of its live XML, and those being attached
  bool settled = true;                // its hostdevs are known, and none is being attached or detached
  // Those hostdevs whose device was disconnected. What has their numbers now is not what the guest has.
  std::vector<Hostdev> orphans{};
  std::set<std::string> put_aside{};  // sysnames of devices that are not for this guest for now
};

}  // namespace whawty
