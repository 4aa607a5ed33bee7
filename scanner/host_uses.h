// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the host itself does with its USB devices, as far as sysfs and the kernel's lists in /proc show it.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "protocol/device.h"
#include "scanner/proc_files.h"
#include "scanner/proc_lists.h"

namespace whawty {

class HostUses {
 public:
  using Clock = std::chrono::steady_clock;

  explicit HostUses(const ProcFiles& files) : files_(files) {}

  // Looks again at all of it. Throws std::system_error when the system, not a device, is at fault.
  void look(Clock::time_point now);

  // What the last look saw of the device of that sysfs name: sorted, none twice, at most kMaxHostUses.
  std::vector<HostUse> of(const std::string& sysname) const;

  // Whether the device was there at the last look.
  bool knows(const std::string& sysname) const { return known_.contains(sysname); }

  // When another look has something to see though nothing tells of it. A disk that was in use may be free; no
  // event tells that one is mounted in a mount namespace of its own, and none of what is made of it is taken.
  Clock::time_point next(Clock::time_point now) const;

  // Whether the host may use one by its routes; by what nobody tells of, the screens of a console without a
  // graphics card.
  bool has_interfaces() const { return has_interfaces_; }
  bool has_keyboards() const { return has_keyboards_; }

  // Looks are that far apart while a disk is there, or the kernel's lists cannot be read; and while a disk
  // settles.
  static constexpr Clock::duration kLookInterval = std::chrono::seconds(1);
  static constexpr Clock::duration kSettlingInterval = std::chrono::milliseconds(250);

  // An unmounted file system has left the list of mounts before its last blocks are written. So a disk counts
  // as in use until its counters have stood still, with nothing under way, for this long.
  static constexpr Clock::duration kQuiet = std::chrono::milliseconds(500);

  // A lease that is renewed, or a bridge that is set up, leaves the host without its default route for a
  // moment. So an interface counts as in use for this long after it was last seen to carry one.
  static constexpr Clock::duration kRouteGrace = std::chrono::seconds(10);

 private:
  // A block device that is or was in use.
  struct Disk {
    std::string counters;
    Clock::time_point since;  // it has been out of use, and its counters have stood still
    bool in_use = true;
  };

  void look_at_disks(Clock::time_point now);
  bool settles(const std::string& path, const std::string& name, Clock::time_point now,
               std::map<std::string, Disk>& disks);
  void look_at_interfaces(Clock::time_point now);
  void look_at_keyboards();
  std::string owner_of(const std::string& path) const;
  void add(const std::string& owner, HostUseKind kind, const std::string& name);

  const ProcFiles& files_;
  std::map<std::string, std::string, std::less<>> usb_;  // path of a USB device below /sys -> its name
  Names known_;                                          // of the USB devices
  std::map<std::string, std::vector<HostUse>> uses_;     // by sysfs name
  std::map<std::string, Disk> disks_;                    // by path below /sys
  Clock::time_point last_look_;
  std::map<std::string, Clock::time_point> carried_;  // by path below /sys: a default route, last seen
  bool settling_ = false;
  bool watches_ = false;  // it has to look again and again
  bool has_interfaces_ = false;
  bool has_keyboards_ = false;
};

}  // namespace whawty
