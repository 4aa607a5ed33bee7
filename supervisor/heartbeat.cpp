// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/heartbeat.h"

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
  next_ = now + kInterval;
  return true;
}

}  // namespace whawty
