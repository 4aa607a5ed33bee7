// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The domains of libvirt, as the actuator tells them: kept fresh by asking again whenever something happened.
// Also the book of all requests that are unanswered.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "matcher/attempts.h"
#include "matcher/domain_xml.h"
#include "matcher/limited_log.h"
#include "matcher/output.h"
#include "matcher/plan.h"
#include "protocol/actuator_to_matcher.h"

namespace whawty {

inline constexpr std::size_t kMaxDomains = 4096;

// An attach or detach, and how the log names it.
struct Change {
  ChangeKey key;
  Digest digest;  // of the device that is to be attached
  std::string device;
  std::string machine;
  std::string why;
  std::string port;  // empty when no device is there for it
};

// A change whose request was answered.
struct ChangeEnded {
  Change change;
  Result result;
  Clock::duration took{};  // from the request on
};

struct Guest {
  std::string name;
  Uuid uuid;
  bool running = false;
};

class DomainTable {
 public:
  DomainTable(Output& output, LimitedLog& log) : output_(output), log_(log) {}

  // Takes in a message. Throws Violation for what the protocol does not allow now.
  std::optional<ChangeEnded> take(const ActuatorMessage& message, Clock::time_point now);

  // Asks for all domains and, as the answers come, for the live XML of each that runs. Does nothing while
  // that goes on.
  void refresh(Clock::time_point now);

  // Asks for the live XML of domains that something happened to, as far as there is room for requests.
  void describe_stale(Clock::time_point now);

  // Asks the actuator whether it is alive; true until it has answered. One that was never connected is not
  // asked.
  void ping(Clock::time_point now);
  bool pinged() const { return ping_ != 0; }

  // Sends an attach or detach request. False if there is no room for it now, or the domain has one already:
  // libvirt makes them one after the other, and what is to be done next may be another thing by then.
  bool request(const Change& change, Clock::time_point now);

  // A device was disconnected: hostdevs with its numbers are orphans from now on, and so is one that is being
  // made.
  void disconnected(const Hostdev& device);

  // The running domains that have a hostdev with these numbers, or are being given one.
  std::vector<Uuid> holders_of(const Hostdev& device) const;

  // What the domain has; what it had, once it has stopped.
  std::vector<Hostdev> last_held_by(const Uuid& uuid) const;

  // The unanswered change of the domain.
  const Change* under_way(const Uuid& uuid) const;

  // The running domains. Those with unanswered requests are not settled; what they are being given counts as
  // theirs.
  std::vector<DomainView> views() const;

  // False as long as a domain may hold devices that were not heard of yet: until libvirt has named its
  // domains and each running one was described. One that takes longer than a second is not waited for.
  bool known(Clock::time_point now) const;

  // Whether the views have changed since the last call.
  bool take_changed() { return std::exchange(changed_, false); }

  // Domains to which something happened since the last call: what failed for them may work now.
  std::vector<Uuid> take_stirred() { return std::exchange(stirred_, {}); }

  bool connected() const { return connected_; }
  bool refreshing() const { return list_ != 0; }
  std::string name_of(const Uuid& uuid) const;

  // All domains that libvirt named last.
  std::vector<Guest> guests() const;

 private:
  struct State {
    std::string name;
    bool active = false;
    bool described = false;  // since it runs, or tried in vain
    bool readable = false;   // the last description made sense
    bool stale = false;      // something happened since it was described
    bool stalled = false;    // a call for it does not return
    std::vector<LiveHostdev> hostdevs;
    std::vector<LiveHostdev> attached;   // since it was described: nobody else's
    std::vector<LiveHostdev> last_held;  // when it stopped
    bool let_go = false;                 // of its USB devices, since it was described
    std::vector<Hostdev> orphans;        // of these, those whose device was disconnected
    std::uint64_t description = 0;       // the unanswered describe request, or 0
    bool changing = false;               // an attach or detach request is unanswered
    std::uint64_t listed = 0;            // the last list request that named it
    bool listed_active = false;
    std::string complaint;    // the beginning of what was last said of its XML
    Clock::time_point since;  // when it was first heard of, or started
  };
  struct List {};
  struct Beat {};
  struct Description {
    Uuid domain;
    std::string xml;  // what has come so far
  };
  struct InFlight {
    std::variant<List, Beat, Description, Change> what;
    Clock::time_point sent;
    bool orphan = false;  // the device that is to be attached was disconnected meanwhile
  };

  State& note(const Uuid& uuid, const std::string& name, Clock::time_point now);
  void add_xml(const XmlChunk& chunk);
  std::optional<ChangeEnded> finish(const Result& result, Clock::time_point now);
  void finish_list(const Result& result);
  ChangeEnded finish_change(const InFlight& request, const Result& result, Clock::time_point now);
  void finish_description(const Description& description, const Result& result);
  void take_description(State& domain, const Uuid& uuid, const std::string& xml);
  std::size_t hostdevs_of_others(const Uuid& uuid) const;
  void stop(State& domain);
  void stall(const Uuid& uuid);
  void give_up(State& domain, const std::string& complaint);
  void complain(State& domain, const std::string& complaint);
  State* find(const Uuid& uuid);
  // One place is kept for a ping, which must go out however many calls hang.
  bool has_room() const { return in_flight_.size() + 1 < kMaxRequestsInFlight; }
  template <class Wire, class Book>
  std::uint64_t send(const Wire& request, Book entry, Clock::time_point now);
  static bool settled(const State& domain);

  Output& output_;
  LimitedLog& log_;
  std::map<Uuid, State> domains_;
  std::map<std::uint64_t, InFlight> in_flight_;
  std::uint64_t last_request_ = 0;
  std::uint64_t list_ = 0;        // the unanswered list request, or 0
  std::uint64_t ping_ = 0;        // the unanswered ping, or 0
  std::size_t descriptions_ = 0;  // unanswered describe requests
  bool connected_ = false;        // libvirt has named its domains once
  bool list_failed_ = false;      // the last time, which was said
  bool changed_ = false;
  std::vector<Uuid> stirred_;
};

}  // namespace whawty
