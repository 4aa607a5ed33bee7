// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// When workers are started again: after a pause that grows as long as they do not work for a second.
#pragma once

#include <chrono>
#include <optional>

namespace whawty {

class Restarts {
 public:
  using Clock = std::chrono::steady_clock;

  // Workers were started.
  void started() { at_work_since_.reset(); }

  // Their matcher took a configuration. What a start takes does not count.
  void at_work(Clock::time_point now) { at_work_since_ = now; }

  // They ended. The pause before the next start, which next() then has.
  std::chrono::milliseconds ended(Clock::time_point now);

  // When workers are to be started; at once, at first.
  Clock::time_point next() const { return next_; }

  static constexpr std::chrono::milliseconds kFirstPause{100};
  static constexpr std::chrono::milliseconds kLongestPause{5000};
  static constexpr std::chrono::seconds kHealthyAfter{1};

 private:
  std::optional<Clock::time_point> at_work_since_;
  std::chrono::milliseconds pause_ = kFirstPause;
  Clock::time_point next_{};
};

}  // namespace whawty
