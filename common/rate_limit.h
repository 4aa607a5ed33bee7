// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// How many requests a second are taken in: a token bucket.
#pragma once

#include <algorithm>
#include <chrono>

namespace whawty {

class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  // So many a second in the long run, and so many at once after a rest.
  RateLimit(int per_second, int burst)
      : pause_(std::chrono::nanoseconds(std::chrono::seconds(1)) / per_second), burst_(burst) {}

  // Counts one.
  void count(Clock::time_point now) { free_at_ = std::max(free_at_, now - (burst_ - 1) * pause_) + pause_; }

  // How long to wait before the next one; zero or less if it may come now.
  Clock::duration wait(Clock::time_point now) const { return free_at_ - now; }

 private:
  Clock::duration pause_;
  int burst_;
  Clock::time_point free_at_{};
};

}  // namespace whawty
