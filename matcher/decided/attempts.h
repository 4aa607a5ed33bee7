// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// When to try again what did not work: after 100 ms, then slower and slower, up to 30 s;
// and what to say of it.
#pragma once

#include <chrono>
#include <map>

#include "matcher/known/change.h"
#include "matcher/known/facts.h"

namespace whawty {

class Attempts {
 public:
  // Whether the change may be tried now.
  bool due(const ChangeKey& key, Clock::time_point now) const;

  // Whether the change has been tried.
  bool tried(const ChangeKey& key) const {
    const auto found = attempts_.find(key);
    return found != attempts_.end() && found->second.tries.count > 0;
  }

  // Notes that an attempt begins: a change of the domain or device counts from here on.
  void began(const ChangeKey& key) { attempts_[key].hurried = false; }

  // Notes an attempt that has ended. As long as the plan asks for the change all the same, the pause before
  // the next one doubles: 100 ms to 30 s; at least the given time. A failure during which something changed
  // has a pause of 100 ms only. What the log should say of it:
  enum class Report {
    kNothing,   // said before, or not worth a line yet
    kDone,      // it worked, for the first time
    kMended,    // it worked, after a failure that was said
    kNoEffect,  // it worked, and still the plan asked for it again
    kFailed,    // it failed twice
  };
  Report ended(const ChangeKey& key, bool done, Clock::time_point now, Clock::duration at_least = {});

  // The attempts since the plan began to ask for the change, and when the first of them ended. At least one
  // has.
  struct Tries {
    unsigned count = 0;
    Clock::time_point first;
  };
  Tries tries(const ChangeKey& key) const { return attempts_.at(key).tries; }

  // Something about the domain, or the device of that address, changed, so that what failed may work now:
  // pauses end.
  void hurry(const Uuid& domain);
  void hurry(std::uint16_t bus, std::uint16_t device);
  void hurry();

  // Forgets all changes for which the predicate does not hold: those that the plan no longer asks for.
  template <class Predicate>
  void keep(Predicate wanted) {
    std::erase_if(attempts_, [&](const auto& entry) { return !wanted(entry.first); });
  }

  // When the next pause ends; Clock::time_point::max() if there is none.
  Clock::time_point next(Clock::time_point now) const;

 private:
  struct Attempt {
    Tries tries;
    Clock::time_point not_before;
    bool hurried = false;  // something changed since it began
    bool said_failed = false, said_done = false, said_no_effect = false;
  };

  static void hurry(Attempt& attempt);
  static Report report(Attempt& attempt, bool done);

  std::map<ChangeKey, Attempt> attempts_;
};

}  // namespace whawty
