// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The actuator's work: requests of the matcher become calls, and what comes of them goes back.
#pragma once

#include <chrono>
#include <set>
#include <vector>

#include "actuator/calls.h"
#include "actuator/dispatcher.h"
#include "actuator/hypervisor.h"
#include "actuator/outbox.h"
#include "common/bounds.h"
#include "common/rate_limit.h"
#include "protocol/channel.h"
#include "protocol/matcher_to_actuator.h"
#include "protocol/ping.h"

namespace whawty {

// The rooms of calls, by what they may hang on: an attach on a device and on a guest, a detach on a guest, a
// description on whatever else is done with the guest (libvirt 11: for up to 30 s), a list on libvirtd alone.
// Calls of a domain that has hung share a room.
enum CallRoom : std::size_t { kAgain, kAttaches, kDescribedAgain, kDescriptions, kBoth, kDetaches, kLists };

// How many of them may run at a time. libvirtd reads no more of a connection, and so answers no keepalive,
// while it is at work on five of its calls (max_client_requests of libvirtd.conf). So the fifth is never one
// that waits for a guest.
const Dispatcher<Uuid>::Rooms& call_rooms();

class Actuator {
 public:
  // The references must outlive all calls.
  Actuator(Channel matcher, Hypervisor& hypervisor, Outbox& outbox, Dispatcher<Uuid>& dispatcher,
           const Limits& limits);

  // Serves until the matcher closes its end (PeerClosed), breaks the protocol (Violation), or the connection
  // to the hypervisor is lost, or calls that hang keep all others waiting (std::runtime_error).
  [[noreturn]] void serve();

 private:
  void wait();
  void say_awake();
  int longest_wait();
  void receive_requests();
  void look_at_calls();
  void accept(const Request& request);
  void answer(std::uint64_t id, const Ping& ping);
  void answer_pings();
  void answer(std::uint64_t id, const Call& call);
  void send_messages();

  Channel matcher_;
  Hypervisor& hypervisor_;
  Outbox& outbox_;
  Dispatcher<Uuid>& dispatcher_;
  const Limits& limits_;
  RateLimit rate_{kRequestsPerSecond, kRequestsAtOnce};
  bool has_input_ = false;              // the matcher has sent something
  std::set<std::uint64_t> unanswered_;  // request ids
  std::vector<std::uint64_t> pings_;    // of these, those of pings
  Wakes wakes_;
};

}  // namespace whawty
