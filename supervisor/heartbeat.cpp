// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/heartbeat.h"

#include <algorithm>
#include <utility>

#include "protocol/violation.h"

namespace whawty {

Heartbeat::Due Heartbeat::due(Clock::time_point now) {
  if (now < next_) return Due::kNothing;
  next_ = now + patience();
  return std::exchange(asked_, kMatcher | kGate) != 0 ? Due::kEnd : Due::kPing;
}

bool Heartbeat::answered(Who who, Clock::time_point now) {
  if ((asked_ & who) == 0) throw Violation("an answer to no ping");
  asked_ &= ~static_cast<unsigned>(who);
  if (asked_ != 0) return false;
  has_answered_ = true;
  last_ = now;
  next_ = now + kRest;
  if (std::exchange(stirred_, false)) stir(now);
  return true;
}

void Heartbeat::stir(Clock::time_point now) {
  // Those behind the matcher count as asked until it answers, and what comes after that they say again.
  if ((asked_ & kMatcher) != 0) return;
  if (asked_ != 0) {
    stirred_ = true;
    return;
  }
  next_ = std::min(next_, std::max(last_ + kInterval, now + kSoon));
}

}  // namespace whawty
