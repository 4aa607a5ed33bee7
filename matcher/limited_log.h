// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The log of the deciding part, as far as devices and guests drive it: a few lines a minute about each
// subject.
#pragma once

#include <string>

#include "common/line_limit.h"
#include "matcher/output.h"

namespace whawty {

class LimitedLog {
 public:
  explicit LimitedLog(Output& output) : output_(output) {}

  // Tells the time, before anything is said. Says what was left out.
  void tick(LineLimit::Clock::time_point now) {
    now_ = now;
    for (const std::string& line : limit_.left_out(now)) output_.say(log::Level::kWarning, line);
  }

  // The subject is printable.
  void say(const std::string& subject, log::Level level, const std::string& line) {
    if (limit_.admit(subject, now_)) output_.say(level, line);
  }

 private:
  Output& output_;
  LineLimit limit_;
  LineLimit::Clock::time_point now_{};
};

}  // namespace whawty
