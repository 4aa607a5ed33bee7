// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Which ports have a device that comes and goes all the time. It is put aside, so that it keeps nobody busy,
// until it is quiet. No I/O, and time is a parameter.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace whawty {

class Flapping {
 public:
  using Clock = std::chrono::steady_clock;

  // So many times within a minute a device may come back to its port; 0: as often as it likes, and what is
  // put aside is taken back.
  void limit(unsigned reconnects);

  // A device came to this port, or came back as another one. True if that was once too often, so that the
  // port is put aside now.
  bool appeared(const std::string& port, Clock::time_point now);

  // The device of this port left.
  void left(const std::string& port, Clock::time_point now);

  // Takes back the ports at which nothing came or left for half a minute, and names them. Forgets the others
  // at which nothing happened for a minute.
  std::vector<std::string> take_back(Clock::time_point now);

  const std::set<std::string>& put_aside() const { return put_aside_; }

  // When take_back has something to do at the earliest; Clock::time_point::max() if nothing is put aside.
  Clock::time_point next() const;

 private:
  struct Port {
    std::vector<Clock::time_point> appearances;  // of the last minute, no more than the limit needs
    Clock::time_point last_change;
  };

  Port* find_or_add(const std::string& port, Clock::time_point now);
  void forget_quiet(Clock::time_point now);

  unsigned limit_ = 0;
  std::map<std::string, Port> ports_;
  std::set<std::string> put_aside_;
};

}  // namespace whawty
