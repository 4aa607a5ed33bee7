// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/heartbeat.h"

#include <algorithm>
#include <utility>

namespace whawty {

Heartbeat::Due Heartbeat::due(Clock::time_point now) {
  if (now < next_) return Due::kNothing;
  next_ = now + patience();
  return std::exchange(asked_, true) ? Due::kEnd : Due::kPing;
}

bool Heartbeat::answered(Clock::time_point now) {
  if (!std::exchange(asked_, false)) return false;
  has_answered_ = true;
  last_ = now;
  next_ = now + kRest;
  return true;
}

void Heartbeat::stir(Clock::time_point now) {
  // They count as asked until they answer, and what comes after that they say again.
  if (!asked_) next_ = std::min(next_, std::max(last_ + kInterval, now + kSoon));
}

}  // namespace whawty
