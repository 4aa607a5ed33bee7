// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Which devices of guests a driver of the host has taken back, as after a bus that was reset: libvirt and
// QEMU do not notice, so they are to be given anew. No I/O, and time is a parameter.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "matcher/decided/plan.h"

namespace whawty {

class TakenBack {
 public:
  using Clock = std::chrono::steady_clock;

  // QEMU has a moment to take the device from the host's driver: after an attach, and whenever the guest sets
  // it up. It doubles with each time in a row that the device was given anew in vain.
  static constexpr Clock::duration kPatience = std::chrono::seconds(1);

  // So often in a row, and then it is left alone until the host's driver lets go of it.
  static constexpr unsigned kTries = 3;

  struct Findings {
    std::vector<std::string> taken;    // to be given anew, since this look
    std::vector<std::string> in_vain;  // left alone, since this look
  };

  // Takes in what a plan has found.
  void look(const DeviceMap& devices, const std::vector<Contested>& contested, Clock::time_point now);

  // When a moment is over. A record of then may be old: the devices have to be read again before it counts.
  Clock::time_point next() const;

  // True if that is so for a device, once for each moment.
  bool take_doubt(Clock::time_point now);

  // All devices have been read again.
  Findings confirm(Clock::time_point now);

  // The devices that are to be given anew, by sysname, until nobody has them.
  std::set<std::string> due() const;

 private:
  struct Entry {
    std::optional<Clock::time_point> since;  // a guest and a driver of the host have it
    bool doubted = false;                    // and that was asked for
    bool due = false;
    unsigned tries = 0;  // in a row
    bool in_vain = false;
    Clock::time_point end() const { return *since + kPatience * (1U << tries); }
    bool waits() const { return since && !due && !in_vain; }
  };

  std::map<std::string, Entry> entries_;  // by sysname, of devices that a driver of the host has
};

}  // namespace whawty
