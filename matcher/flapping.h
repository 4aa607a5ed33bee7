// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Which ports have a device that comes and goes all the time. It is put aside, so that it keeps nobody busy,
// until it is quiet. A device may be a hub of many ports and come and go at each in turn: so what is behind
// one port of the host's own hubs, a root port, is counted together, too. No I/O, and time is a parameter.
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
  using Ports = std::vector<std::string>;

  enum class PutAside { kNothing, kPort, kRootPort };

  struct Quiet {
    Ports ports;
    Ports root_ports;
  };

  // What is behind one root port may reconnect so many times as often as one device.
  static constexpr unsigned kRootPortFactor = 4;

  Flapping();

  // "3-1" of "3-1.4.2", and of itself.
  static std::string root_port_of(const std::string& port);

  // So many times within a minute a device may come back to its port; 0: as often as it likes, and what is
  // put aside is taken back.
  void limit(unsigned reconnects);

  // A device came to this port, or came back as another one. Says what is put aside now, because that was
  // once too often. A reconnect at a port that is put aside does not count for its root port.
  PutAside appeared(const std::string& port, Clock::time_point now);

  // The device of this port left.
  void left(const std::string& port, Clock::time_point now);

  // Takes back the ports at which, and the root ports behind which, nothing came or left for half a minute,
  // and names them. Forgets the others at which nothing happened for a minute.
  Quiet take_back(Clock::time_point now);

  // The port itself, or its root port.
  bool is_put_aside(const std::string& port) const;

  // When take_back has something to do at the earliest; Clock::time_point::max() if nothing is put aside.
  Clock::time_point next() const;

 private:
  // Times of the last minute.
  class LastMinute {
   public:
    // How many there are, with this one. No more are kept, and counted, than are of interest.
    std::size_t add(Clock::time_point now, std::size_t of_interest);

   private:
    std::vector<Clock::time_point> times_;
  };

  struct Entry {
    LastMinute appearances;  // at a port: all; behind a root port: those that are no reconnects
    LastMinute reconnects;   // behind a root port
    Clock::time_point last_change{};
  };

  // Ports, or root ports, at which something happens.
  class Watch {
   public:
    explicit Watch(std::size_t room) : room_(room) {}

    // Notes that something came. Nothing if there is no room to watch one more.
    Entry* came(const std::string& port, Clock::time_point now);
    void left(const std::string& port, Clock::time_point now);
    void put_aside(const std::string& port) { put_aside_.insert(port); }
    bool is_put_aside(const std::string& port) const { return put_aside_.contains(port); }
    Ports take_back(Clock::time_point now);
    Clock::time_point next() const;
    void clear();

   private:
    void forget_quiet(Clock::time_point now);

    std::size_t room_;
    std::map<std::string, Entry> entries_;
    std::set<std::string> put_aside_;
  };

  bool too_often_behind(Entry& root_port, bool reconnect, Clock::time_point now) const;

  unsigned limit_ = 0;
  Watch ports_;
  Watch root_ports_;
};

}  // namespace whawty
