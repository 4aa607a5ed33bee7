// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// How many lines of the log one subject gets: a fault that lasts, or a device that means harm, must not fill
// it.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace whawty {

class LineLimit {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kMaxSubject = 128;  // bytes; longer ones that begin alike share their lines

  // Whether one more line about the subject may be written. One that may not is counted.
  bool admit(const std::string& subject, Clock::time_point now);

  // A line for each subject of which lines were left out, once its minute is over: "12 more lines about
  // SUBJECT were left out within a minute". Call it from time to time.
  std::vector<std::string> left_out(Clock::time_point now);

 private:
  struct Count {
    Clock::time_point since;  // the beginning of the minute
    std::size_t written = 0;
    std::size_t left_out = 0;
  };

  std::map<std::string, Count> counts_;
  Clock::time_point next_look_{};
};

}  // namespace whawty
