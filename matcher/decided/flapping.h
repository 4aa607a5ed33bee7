// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Which ports have a device that comes and goes all the time. It is put aside, so that it keeps nobody busy,
// until it is quiet. A device may be a hub, with hubs behind it, and come and go at each of their ports in
// turn: so a reconnect counts at its port and behind every hub on the way to it. No I/O, and time is a
// parameter.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace whawty {

class Flapping {
 public:
  using Clock = std::chrono::steady_clock;
  using Ports = std::vector<std::string>;

  struct PutAside {
    std::string port;
    bool as_hub = false;  // for what is behind it, and not for what is there
    bool operator==(const PutAside&) const = default;
  };

  struct Quiet {
    Ports ports;
    Ports hubs;
    bool behind_hubs = false;  // at a port behind one that stays put aside
  };

  // For so long nothing happens at a port, or behind a hub, that is served again.
  static constexpr Clock::duration kQuiet = std::chrono::seconds(30);

  // So many times within a minute a device may come back to its port; 0: as often as it likes, and what is
  // put aside is taken back.
  void limit(unsigned reconnects);

  // A device came to this port, or came back as another one. Says what is put aside now, because that was
  // once too often. Nothing that happens at or behind a port that is put aside counts anywhere.
  std::optional<PutAside> appeared(const std::string& port, Clock::time_point now);

  // The device of this port left.
  void left(const std::string& port, Clock::time_point now);

  // Takes back the ports at and behind which nothing came or left for half a minute, and names them. Of a hub
  // that is put aside, each port is taken back by itself. Forgets the others at which nothing happened for a
  // minute.
  Quiet take_back(Clock::time_point now);

  // The port itself, or with a hub on the way to it.
  bool is_put_aside(const std::string& port) const;

  // When take_back has something to do at the earliest; Clock::time_point::max() if nothing is put aside.
  Clock::time_point next() const;

 private:
  // Times of the last minute.
  class LastMinute {
   public:
    // How many there are, with this one. No more are kept, and counted, than are of interest.
    std::size_t add(Clock::time_point now, std::size_t of_interest);
    std::size_t count(Clock::time_point now) const;

   private:
    std::vector<Clock::time_point> times_;  // in order
  };

  struct Node {
    LastMinute appearances;  // at this very port
    LastMinute behind;       // reconnects at the ports behind it
    LastMinute firsts;       // of a root port, at it and behind it: those that are no reconnects
    Clock::time_point last_change{};

    std::size_t reconnects(Clock::time_point now) const;  // at it and behind it
  };
  using Nodes = std::map<std::string, Node>;

  Nodes::iterator find_or_add(const std::string& port, Clock::time_point now);
  bool touch(const Ports& way, Clock::time_point now);
  bool is_reconnect(const Ports& way, std::size_t appearances, Clock::time_point now);
  void count_behind(const std::string& hub, Clock::time_point now);
  bool too_often_behind(const std::string& hub, Clock::time_point now) const;
  std::size_t most_behind_one_port_of(const std::string& hub, Clock::time_point now) const;
  PutAside put_aside(const std::string& port, bool as_hub, Clock::time_point now);
  void forget_quiet(Clock::time_point now);

  unsigned limit_ = 0;
  Nodes nodes_;                        // ports at or behind which something happens
  std::map<std::string, bool> aside_;  // as_hub; never two on one way
  std::set<std::string> restless_;     // ports of those: something happened there, and they are not quiet yet
};

}  // namespace whawty
