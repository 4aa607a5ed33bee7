// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The log of the deciding part, as far as devices and guests drive it: a few lines a minute about each
// subject.
#pragma once

#include <string>

#include "common/line_limit.h"
#include "common/log.h"

namespace whawty {

// Where lines go.
class LineSink {
 public:
  virtual void say(log::Level level, const std::string& line) = 0;

  // The same, with its record. Who has no use for records takes the line.
  virtual void record(log::Level level, const std::string& line, const Record&) { say(level, line); }

 protected:
  ~LineSink() = default;
};

class LimitedLog {
 public:
  explicit LimitedLog(LineSink& sink) : sink_(sink) {}

  // Tells the time, before anything is said. Says what was left out.
  void tick(LineLimit::Clock::time_point now) {
    now_ = now;
    for (const std::string& line : limit_.left_out(now)) sink_.say(log::Level::kWarning, line);
  }

  // The subject is printable.
  void say(const std::string& subject, log::Level level, const std::string& line, const Record& record = {}) {
    if (limit_.admit(subject, now_)) sink_.record(level, line, record);
  }

  // The same; false if the line was left out.
  bool try_to_say(const std::string& subject, log::Level level, const std::string& line) {
    const bool admitted = limit_.admit(subject, now_);
    if (admitted) sink_.say(level, line);
    return admitted;
  }

 private:
  LineSink& sink_;
  LineLimit limit_;
  LineLimit::Clock::time_point now_{};
};

}  // namespace whawty
