// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The domains of libvirt, as the actuator tells them. Facts only: who asks for them is domains.h.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "matcher/known/facts.h"
#include "protocol/actuator_to_matcher.h"

namespace whawty {

// Something about a domain, or about their list, that the log should say once.
struct DomainNote {
  enum class Kind {
    kListFailed,       // detail: the message
    kListWorks,        // again
    kStalled,          // a change of it does not return
    kBusy,             // libvirt has not described it for long, since something else is done with it
    kNotDescribed,     // detail: libvirt's message
    kUnreadable,       // detail: what is wrong with its XML, printable
    kTooManyHostdevs,  // count: the bound
    kNoRoom,           // count: the bound of all domains
    kUnidentified,     // count: of its hostdevs
  };
  Kind kind = Kind::kStalled;
  std::string domain{};
  std::string detail{};
  std::size_t count = 0;
  bool operator==(const DomainNote&) const = default;
};

struct Guest {
  std::string name;
  Uuid uuid;
  bool running = false;
};

class DomainTable {
 public:
  // A list of all domains was asked for; it names one; it has ended, with or without success. One that runs
  // is to be described if it was not since it started, as its id tells, or in vain, or long ago; the last of
  // these counts until it is. When the list has ended, those that it did not name are gone, but for the busy
  // ones, for which a request is unanswered, and those with an event since.
  void begin_list();
  void take(const DomainListed& listed, Clock::time_point now);
  void end_list(const Result& result, const std::set<Uuid>& busy);

  // Whatever was described is to be described again when it is next listed.
  void doubt();

  // An event: the domain is to be described again.
  void take(const DomainChanged& changed, Clock::time_point now);

  // A call for the domain does not return: a change, or else a description, which waits for what somebody
  // else does with it.
  void stall(const Uuid& uuid, bool changing, Clock::time_point now);

  // A request to describe the domain was answered; the XML is empty unless it was done. If libvirt is busy
  // with the domain, what was known still counts, and it is to be described after a pause that grows.
  void describe(const Uuid& uuid, const Result& result, const std::string& xml, Clock::time_point now);

  // A request to change the domain was answered. An orphan: the device that it has now was disconnected
  // meanwhile.
  void change(const Uuid& uuid, const Result& result);
  void attach(const Uuid& uuid, const Hostdev& hostdev, bool orphan);

  // A device was disconnected: hostdevs with its numbers are orphans from now on.
  void disconnected(const Hostdev& device);

  // The domains that are to be described now, unless they are stalled. asked: one of them is being described.
  std::vector<Uuid> stale(Clock::time_point now) const;
  void asked(const Uuid& uuid);

  // Notes those that libvirt is busy with, for so long that somebody should know.
  void look_at_busy(Clock::time_point now);

  // When there is something stale, or something to note, though no message came.
  Clock::time_point next(Clock::time_point now) const;

  // The running domains that have a hostdev with these numbers.
  std::vector<Uuid> holders_of(const Hostdev& device) const;

  // What the domain has; what it had, once it has stopped.
  std::vector<Hostdev> last_held_by(const Uuid& uuid) const;

  // The running domains. Those of which something is not known are not settled.
  std::vector<DomainView> views() const;

  // Whether a running domain may hold devices that were not heard of yet. One that takes longer than a second
  // to be described is not waited for.
  bool waits_for_one(const std::set<Uuid>& busy, Clock::time_point now) const;

  // True once libvirt has named its domains.
  bool connected() const { return connected_; }
  bool knows(const Uuid& uuid) const { return domains_.contains(uuid); }
  std::string name_of(const Uuid& uuid) const;

  // All domains that libvirt named last.
  std::vector<Guest> guests() const;

  // Since the last call: whether the views have changed; the domains to which something happened, so that
  // what failed for them may work now; what the log should say.
  bool take_changed() { return std::exchange(changed_, false); }
  std::vector<Uuid> take_happened_to() { return std::exchange(happened_to_, {}); }
  std::vector<DomainNote> take_notes() { return std::exchange(notes_, {}); }

 private:
  struct State {
    std::string name;
    bool active = false;
    bool described = false;             // since it runs, or tried in vain
    bool readable = false;              // the last description made sense
    bool stale = false;                 // it is to be described
    bool happened = false;              // something, since it was: what is known no longer counts
    bool stalled = false;               // a call for it does not return
    std::optional<std::uint32_t> run;   // libvirt's id of it when it was described
    Clock::time_point described_until;  // so long that counts if nothing is heard of the domain
    std::vector<LiveHostdev> hostdevs;
    std::vector<LiveHostdev> attached;   // since it was described: nobody else's
    std::vector<LiveHostdev> last_held;  // when it stopped
    bool let_go = false;                 // of its USB devices, since it was described
    std::vector<Hostdev> orphans;        // of these, those whose device was disconnected
    bool listed = false;                 // by the last list that was asked for
    bool listed_active = false;
    std::optional<DomainNote> complaint;          // what was last said of its XML
    Clock::time_point since;                      // when it was first heard of, or started
    std::optional<Clock::time_point> busy_since;  // libvirt has something else to do with it
    unsigned busy = 0;                            // so often in a row it did not describe it for that
    Clock::time_point not_before;                 // its next description
    bool said_busy = false;
    bool settled() const { return described && readable && !happened && !stalled; }
  };

  State& note(const Uuid& uuid, const std::string& name, Clock::time_point now);
  State* find(const Uuid& uuid);
  void take_description(State& domain, const Uuid& uuid, const std::string& xml, Clock::time_point now);
  std::size_t hostdevs_of_others(const Uuid& uuid) const;
  void stop(State& domain);
  static void put_off(State& domain, Clock::time_point now);
  static void no_longer_busy(State& domain);
  void give_up(State& domain, DomainNote::Kind kind, std::string_view detail, std::size_t count);
  void complain(State& domain, DomainNote::Kind kind, std::string_view detail, std::size_t count);

  std::map<Uuid, State> domains_;
  bool connected_ = false;
  bool list_failed_ = false;  // the last time, which was said
  bool changed_ = false;
  std::vector<Uuid> happened_to_;
  std::vector<DomainNote> notes_;
};

}  // namespace whawty
