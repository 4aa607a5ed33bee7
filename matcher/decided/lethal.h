// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Which devices the QEMU of a guest dies of: when they come, when they go, or when they connect anew. Such a
// device is put aside for that guest, so that it does not take it down at each start. No I/O, and time is a
// parameter.
#pragma once

#include <chrono>
#include <compare>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/device_digest.h"
#include "common/domain.h"

namespace whawty {

class Lethal {
 public:
  using Clock = std::chrono::steady_clock;

  // A device is the same one as long as port and digest are.
  struct Subject {
    std::string port;
    Digest digest{};
    auto operator<=>(const Subject&) const = default;
  };

  static constexpr unsigned kDeaths = 2;                                 // this many are too many
  static constexpr Clock::duration kCountedFor = std::chrono::hours(1);  // after the last one
  static constexpr Clock::duration kAway = std::chrono::seconds(3);      // who is shorter away reconnects

  // Between a change and libvirt's word of a death: two seconds to die, and up to five in which libvirt
  // unloads the guest's AppArmor profile before it says so.
  static constexpr Clock::duration kSoon = std::chrono::seconds(7);
  // Between that word and udev's that the device left.
  static constexpr Clock::duration kSoonAfter = std::chrono::seconds(2);

  // The guest was given the device, or it was taken from it.
  void changed(const Uuid& guest, const Subject& device, Clock::time_point now);

  // The device left the host, and these guests had it. Says for which guests it is put aside now: libvirt may
  // have told of their death before.
  std::vector<Uuid> left(const Subject& device, const std::vector<Uuid>& holders, Clock::time_point now);

  // The device is at its port. If it was away for long, somebody has plugged it again: nothing is held
  // against it any more.
  void came(const Subject& device, Clock::time_point now);

  // The guest's QEMU ended unasked, while it had these devices. Says which are put aside for it now.
  std::vector<Subject> died(const Uuid& guest, const std::vector<Subject>& held, Clock::time_point now);

  // Which devices are put aside for which guest.
  std::vector<std::pair<Uuid, Subject>> put_aside() const;

  void clear() { entries_.clear(); }

 private:
  struct Entry {
    std::optional<Clock::time_point> changed;     // last, and no death was blamed on that
    std::optional<Clock::time_point> died;        // with the device, which is not blamed for it
    std::optional<Clock::time_point> blamed;      // for the last death
    std::optional<Clock::time_point> away_since;  // unless it is there
    unsigned deaths = 0;
  };

  // Nothing if there is no room for one more.
  Entry* note(const Uuid& guest, const Subject& device, Clock::time_point now);
  static bool blame(Entry& entry, Clock::time_point now);
  void forget_harmless(Clock::time_point now);

  std::map<std::pair<Subject, Uuid>, Entry> entries_;
};

}  // namespace whawty
