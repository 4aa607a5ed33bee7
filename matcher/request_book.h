// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The requests to the actuator that are unanswered, and the sending of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/bounds.h"
#include "matcher/known/change.h"
#include "matcher/known/facts.h"
#include "matcher/output.h"
#include "protocol/actuator_to_matcher.h"

namespace whawty {

class RequestBook {
 public:
  struct List {};
  struct Description {
    Uuid domain;
    std::string xml{};  // what has come so far
  };
  struct Change {
    ChangeKey key;
    bool orphan = false;  // the device that is to be attached was disconnected meanwhile
  };
  struct Answered {
    std::variant<List, Ping, Description, Change> what;
    Clock::duration took{};
  };

  // Requests are numbered from the one after the last on.
  RequestBook(Output& output, std::uint64_t last) : output_(output), last_(last) {}

  // Each sends a request. But for the ping, for which a place is kept, they are false if there is no room
  // now.
  bool list(Clock::time_point now);
  bool describe(const Uuid& domain, Clock::time_point now);
  bool change(const ChangeKey& key, const Digest& digest, Clock::time_point now);
  void ping(Clock::time_point now);

  // An answer to a description, or the end of a request. Throws Violation for what was not asked for.
  void take(const XmlChunk& chunk);
  Answered take(const Result& result, Clock::time_point now);

  // A device was disconnected: a hostdev with its numbers that is being made is an orphan from now on.
  void disconnected(const Hostdev& device);

  bool listing() const { return has<List>(); }
  bool pinged() const { return has<Ping>(); }

  // The domains that are being described; the changes that are under way.
  std::set<Uuid> described() const;
  std::vector<ChangeKey> changes() const;

 private:
  using Book = std::variant<List, Ping, Description, Change>;
  struct Entry {
    Book what;
    Clock::time_point sent;
  };

  bool has_room() const { return entries_.size() + 1 < kMaxRequestsInFlight; }
  template <class Kind>
  bool has() const;
  template <class Wire>
  void send(const Wire& request, Book what, Clock::time_point now);

  Output& output_;
  std::map<std::uint64_t, Entry> entries_;  // by the request's id
  std::uint64_t last_;
};

}  // namespace whawty
