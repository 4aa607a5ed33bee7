// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Makes the guests what the configuration says: when to look, when to act. No I/O: what it wants done goes to
// an Output, and time is a parameter.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "matcher/decided/attempts.h"
#include "matcher/decided/flapping.h"
#include "matcher/decided/lethal.h"
#include "matcher/decided/plan.h"
#include "matcher/decided/rulebook.h"
#include "matcher/decided/taken_back.h"
#include "matcher/domains.h"
#include "matcher/known/device_table.h"
#include "matcher/output.h"
#include "matcher/ping_relay.h"
#include "matcher/said/announcer.h"

namespace whawty {

class Reconciler {
 public:
  // In debug mode each scan is said in full. One that observes asks for no change of a domain, and says what
  // it would ask for. Requests are numbered from the one after the last on.
  Reconciler(Output& output, bool debug, bool observes = false, std::uint64_t last_request = 0)
      : output_(output),
        debug_(debug),
        observes_(observes),
        announcer_(output),
        domains_(output, last_request) {}

  // Take in what happened; acting is step's. Throw Violation for what the protocol does not allow now.
  // Policy: the digest of the configuration, for records.
  void use(Config config, Clock::time_point now, const std::string& policy = "");
  void take(ScannerMessage message, Clock::time_point now);
  void take(const ActuatorMessage& message, Clock::time_point now);

  // Answers a ping, when the scanner has answered one, and the actuator, if it was ever connected. Throws
  // Violation if the last one has not yet been answered.
  void ping(Clock::time_point now);

  // Does what is due. Nothing is, before a configuration is in use.
  void step(Clock::time_point now);

  // When step has something to do though nothing was taken in.
  Clock::time_point next_step(Clock::time_point now) const;

 private:
  void answer_ping();
  void say_notes();
  void take_device(ScannerMessage message, Clock::time_point now);
  void end_look(Clock::time_point now);
  bool watch_connections(const ScannerMessage& message, Clock::time_point now);
  void count_connection(const Device& device, Clock::time_point now);
  std::optional<Lethal::Subject> subject_at(const Hostdev& numbers) const;
  const Device* device_of(const Lethal::Subject& subject) const;
  void watch_left(const DeviceTable::Left& left, Clock::time_point now);
  void watch_death(const DomainChanged& changed, Clock::time_point now);
  void watch_change(const ChangeEnded& ended, Clock::time_point now);
  void put_aside_lethal(const Uuid& guest, const Lethal::Subject& device);
  bool is_machine(const std::string& name) const;
  void serve_quiet_again(Clock::time_point now);
  std::vector<DomainView> views() const;
  std::set<std::string> put_aside() const;
  void confirm_taken_back(Clock::time_point now);
  void begin_round(Clock::time_point now);
  void ask_scanner(ScanRequest request);
  void carry_out_plan(Clock::time_point now);
  Plan foresee_plan(const std::vector<DomainView>& views);
  Plan make_changes(const std::vector<DomainView>& views, Clock::time_point now);
  void forget_attempts(const Plan& plan, const std::vector<DomainView>& views);
  static ChangeKey key_of(const Detach& detach);
  ChangeKey key_of(const Attach& attach) const;
  void carry_out(const Plan& plan, bool tried, Clock::time_point now);
  template <class Wanted>
  void request(const Wanted& wanted, const Digest& digest, Clock::time_point now);
  void conclude(const ChangeEnded& ended, Clock::time_point now);
  void report_status(const std::vector<DomainView>& views);

  Output& output_;
  const bool debug_;
  const bool observes_;
  Announcer announcer_;
  std::optional<Rulebook> rules_;
  DeviceTable devices_;
  Domains domains_;
  Attempts attempts_;
  Flapping flapping_;
  TakenBack taken_back_;
  Lethal lethal_;
  PingRelay pings_;
  Clock::time_point next_round_;
  Clock::time_point next_attempt_ = Clock::time_point::max();
  bool plan_is_old_ = false;
  std::set<std::string> plugged_;     // devices, since the last plan; not those of the first snapshot
  std::optional<ScanRequest> asked_;  // of the scanner: a look at all devices, which has not ended
  std::optional<Status> reported_;
};

}  // namespace whawty
