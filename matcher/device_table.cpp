// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/device_table.h"

#include <utility>

#include "protocol/violation.h"

namespace whawty {

bool DeviceTable::apply(ScannerMessage message) {
  if (auto* const device = std::get_if<Device>(&message)) return add(std::move(*device));
  if (const auto* const removed = std::get_if<DeviceRemoved>(&message)) return remove(removed->sysname);
  return std::holds_alternative<SnapshotBegin>(message) ? begin() : end();
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
  const auto gone =
      std::erase_if(devices_, [this](const auto& entry) { return !seen_.contains(entry.first); });
  return first || gone > 0;
}

bool DeviceTable::add(Device device) {
  if (in_snapshot_ && !seen_.insert(device.sysname).second) throw Violation("a device twice in a snapshot");
  Device& known = devices_[device.sysname];
  if (devices_.size() > kMaxDevices) throw Violation("more than 4096 devices");
  if (known == device) return false;
  known = std::move(device);
  return true;
}

bool DeviceTable::remove(const std::string& sysname) {
  if (in_snapshot_) throw Violation("a removal inside a snapshot");
  return devices_.erase(sysname) > 0;
}

}  // namespace whawty
