// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/restarts.h"

#include <algorithm>

namespace whawty {

std::chrono::milliseconds Restarts::ended(Clock::time_point now) {
  if (at_work_since_ && now - *at_work_since_ >= kHealthyAfter) pause_ = kFirstPause;
  const std::chrono::milliseconds pause = pause_;
  next_ = now + pause;
  pause_ = std::min(2 * pause, kLongestPause);
  return pause;
}

}  // namespace whawty
