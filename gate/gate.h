// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether a message may pass. No I/O: frames and the time go in, a verdict comes out.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/allowed_domains.h"
#include "common/bounds.h"
#include "common/domain.h"
#include "common/rate_limit.h"
#include "common/worker.h"
#include "gate/calls.h"
#include "gate/message.h"
#include "gate/receipt.h"

namespace whawty {

// The client said what it never says: it has been taken over, or one of the two programs is not what the
// other was made for.
struct Refused : Alarm {
  using Alarm::Alarm;
};

// The first frame of either side, as first_frame().
inline std::optional<std::string_view> first_call(std::string_view bytes) {
  return first_frame(bytes, kMaxCall);
}
inline std::optional<std::string_view> first_answer(std::string_view bytes) {
  return first_frame(bytes, kMaxAnswer);
}

class Gate {
 public:
  using Clock = RateLimit::Clock;

  // The list of --domains, and whether the host lets the device with these numbers go to a guest now.
  // Tests give another table.
  Gate(AllowedDomains domains, std::function<bool(const Hostdev&)> may_go,
       std::span<const CallRule> rules = kCallRules)
      : domains_(std::move(domains)), may_go_(std::move(may_go)), rules_(rules) {}

  // A frame of the client. It is to be passed on, byte by byte, if there is no answer; or else the client is
  // to be given the answer. Throws Refused for a frame that may not pass.
  std::optional<std::string> from_client(std::string_view frame, Clock::time_point now);

  // How long to read nothing from the client; zero or less if the next frame may come now.
  Clock::duration pause(Clock::time_point now) const { return rate_.wait(now); }

  // A frame of libvirtd, which is to be passed on. What it says of domains is kept. Throws Malformed for what
  // libvirtd does not send, and std::runtime_error if it asks who the client is in a way that cannot pass.
  void from_server(std::string_view frame, Clock::time_point now);

  // The changes that libvirtd is to be asked for, and those that it has answered, since the last call.
  std::vector<Receipt> take_receipts() { return std::exchange(receipts_, {}); }

  // Until the connection is open, a client that was refused may come back on the same connection to libvirtd.
  // No call may be unanswered then.
  bool may_start_again() const { return !opened_ && unanswered_.empty(); }

 private:
  // The names that libvirtd has given for a UUID; the last one is what it is called now.
  struct Names {
    std::vector<std::string> names;
    std::uint64_t given = 0;  // the last time, counted
  };

  struct Passage {
    const char* objection = nullptr;  // why it does not pass; null if it does
    std::optional<Receipt> change;    // that it asks for
  };

  struct Unanswered {
    std::uint32_t procedure = 0;
    std::optional<Receipt> change;
    Clock::time_point since;
  };

  Passage look_at(const Message& message) const;
  Passage match(const CallRule& rule, std::string_view arguments) const;
  const char* objection_to_domain(std::string_view name, const Uuid& uuid, bool own) const;
  void answered(const Message& reply, Clock::time_point now);
  void learn(XdrReader& domains, std::uint32_t how_many);
  void learn(const Uuid& uuid, std::string_view name);

  const AllowedDomains domains_;
  const std::function<bool(const Hostdev&)> may_go_;
  const std::span<const CallRule> rules_;
  RateLimit rate_{kCallsPerSecond, kCallsAtOnce};
  std::map<std::uint32_t, Unanswered> unanswered_;  // calls by serial
  std::vector<Receipt> receipts_;
  std::map<Uuid, Names> names_;
  std::uint64_t times_given_ = 0;
  bool opened_ = false;
};

}  // namespace whawty
