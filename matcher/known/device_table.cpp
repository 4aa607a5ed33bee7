// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/known/device_table.h"

#include <utility>

#include "common/bounds.h"
#include "common/text.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

// When udev first saw the device. A bus numbers anew when its controller starts anew, so that this may be all
// that differs.
std::string_view connected_at(const Device& device) {
  for (const Property& property : device.properties)
    if (property.name == "USEC_INITIALIZED") return property.value;
  return {};
}

bool same_connection(const Device& before, const Device& after) {
  const std::string_view then = connected_at(before);
  const std::string_view now = connected_at(after);
  return hostdev_of(before) == hostdev_of(after) && (then == now || then.empty() || now.empty());
}

Violation too_large() {
  return Violation(concat("devices that take more than ", size_text(kMaxFootprint)));
}

}  // namespace

bool DeviceTable::apply(ScannerMessage message) {
  if (auto* const device = std::get_if<Device>(&message)) return add(std::move(*device));
  if (const auto* const removed = std::get_if<DeviceRemoved>(&message)) return remove(removed->sysname);
  if (std::holds_alternative<Unchanged>(message)) return confirm();
  if (std::holds_alternative<SnapshotBegin>(message)) return begin();
  return std::holds_alternative<SnapshotEnd>(message) && end();
}

bool DeviceTable::confirm() const {
  if (in_snapshot_ || !complete_) throw Violation("no change of what was not told");
  return false;
}

bool DeviceTable::begin() {
  if (in_snapshot_) throw Violation("a snapshot inside a snapshot");
  in_snapshot_ = true;
  seen_.clear();
  return false;
}

bool DeviceTable::end() {
  if (!in_snapshot_) throw Violation("the end of a snapshot that has not begun");
  in_snapshot_ = false;
  const bool first = !std::exchange(complete_, true);
  const auto gone = std::erase_if(devices_, [this](const auto& entry) {
    const bool left = !seen_.contains(entry.first);
    if (left) forget(entry.second);
    return left;
  });
  if (footprint_ > kMaxFootprint) throw too_large();
  return first || gone > 0;
}

bool DeviceTable::add(Device device) {
  if (in_snapshot_ && !seen_.insert(device.sysname).second) throw Violation("a device twice in a snapshot");
  const auto [entry, added] = devices_.try_emplace(device.sysname);
  // Until a snapshot ends, the devices before it are here too.
  if ((in_snapshot_ ? seen_.size() : devices_.size()) > kMaxDevices)
    throw Violation(concat("more than ", kMaxDevices, " devices"));
  Device& known = entry->second;
  if (known == device) return false;
  if (!added && !same_connection(known, device)) {
    forget(known);
  } else if (!added) {
    footprint_ -= footprint(known);
  }
  footprint_ += footprint(device);
  if (footprint_ > (in_snapshot_ ? 2 : 1) * kMaxFootprint) throw too_large();
  known = std::move(device);
  return true;
}

bool DeviceTable::remove(const std::string& sysname) {
  if (in_snapshot_) throw Violation("a removal inside a snapshot");
  const auto entry = devices_.find(sysname);
  if (entry == devices_.end()) return false;
  forget(entry->second);
  devices_.erase(entry);
  return true;
}

void DeviceTable::forget(const Device& device) {
  footprint_ -= footprint(device);
  left_.push_back({hostdev_of(device), device.sysname, device.digest});
}

}  // namespace whawty
