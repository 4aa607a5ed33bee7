// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The USB devices of the host, as the scanner tells them.
#pragma once

#include <set>
#include <string>

#include "matcher/known/facts.h"
#include "protocol/scanner_to_matcher.h"

namespace whawty {

class DeviceTable {
 public:
  // Takes in a message. True if a device came, changed or left, or the first snapshot ended.
  // Throws Violation for a message that the protocol does not allow now, or more than kMaxDevices devices.
  bool apply(ScannerMessage message);

  // A device that was disconnected, as it was last told.
  struct Left {
    Hostdev numbers;
    std::string port;
    std::optional<Digest> digest;
  };

  // Those since the last call, even if they, or others, have the same name and numbers by now.
  std::vector<Left> take_left() { return std::exchange(left_, {}); }

  // True once the first snapshot has ended: before, a device that is missing here may be there.
  bool complete() const { return complete_; }
  bool in_snapshot() const { return in_snapshot_; }
  const DeviceMap& devices() const { return devices_; }

 private:
  bool confirm() const;
  bool begin();
  bool end();
  bool add(Device device);
  bool remove(const std::string& sysname);
  void forget(const Device& device);

  DeviceMap devices_;
  std::size_t footprint_ = 0;   // of all devices
  std::set<std::string> seen_;  // in the snapshot that is under way
  bool in_snapshot_ = false;
  bool complete_ = false;
  std::vector<Left> left_;
};

}  // namespace whawty
