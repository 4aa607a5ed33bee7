// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Makes the guests what the configuration says: has the plan carried out, and says what became of it. No I/O:
// what it wants done goes to an Output, and time is a parameter.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "matcher/attempts.h"
#include "matcher/config.h"
#include "matcher/device_table.h"
#include "matcher/domain_table.h"
#include "matcher/flapping.h"
#include "matcher/lethal.h"
#include "matcher/output.h"
#include "matcher/plan.h"
#include "matcher/taken_back.h"

namespace whawty {

class Reconciler {
 public:
  // In debug mode each scan is said in full.
  Reconciler(Output& output, bool debug)
      : output_(output), debug_(debug), log_(output), domains_(output, log_) {}

  // Take in what happened; acting is step's. Throw Violation for what the protocol does not allow now.
  void use(Config config, Clock::time_point now);
  void take(ScannerMessage message, Clock::time_point now);
  void take(const ActuatorMessage& message, Clock::time_point now);

  // Says that all is alive, when the scanner has answered a ping, and the actuator, if it was ever connected.
  // Throws Violation if that has not yet been said of the last one.
  void ping(Clock::time_point now);

  // Does what is due. Nothing is, before a configuration is in use.
  void step(Clock::time_point now);

  // When step has something to do though nothing was taken in.
  Clock::time_point next_step(Clock::time_point now) const;

 private:
  void answer_ping();
  void watch(const ScannerMessage& message, Clock::time_point now);
  void count_connection(const Device& device, Clock::time_point now);
  void say(const Flapping::PutAside& aside, const Device& device);
  std::optional<Lethal::Subject> subject_at(const Hostdev& numbers) const;
  void watch_left(const DeviceTable::Left& left, Clock::time_point now);
  void watch_death(const DomainChanged& changed, Clock::time_point now);
  bool is_machine(const std::string& name) const;
  void watch_change(const ChangeEnded& ended, Clock::time_point now);
  void say_lethal(const Uuid& guest, const Lethal::Subject& device);
  void put_aside_lethal(std::vector<DomainView>& views) const;
  void take_back_quiet(Clock::time_point now);
  std::set<std::string> put_aside() const;
  void confirm_taken_back(Clock::time_point now);
  void begin_round(Clock::time_point now);
  void ask_rescan();
  void carry_out_plan(Clock::time_point now);
  void forget_attempts(const Plan& plan, const std::vector<DomainView>& views);
  static ChangeKey key_of(const Detach& detach);
  ChangeKey key_of(const Attach& attach) const;
  void carry_out(const Plan& plan, bool tried, Clock::time_point now);
  void carry_out(const Detach& detach, Clock::time_point now);
  void carry_out(const Attach& attach, Clock::time_point now);
  void request(const Change& change, Clock::time_point now);
  void conclude(const ChangeEnded& ended, Clock::time_point now);
  void say(Attempts::Report report, const ChangeEnded& ended, Clock::time_point now);
  void say_failure(Attempts::Report report, const ChangeEnded& ended);
  void say_conflicts(const std::vector<Conflict>& conflicts);
  void say_refusals(const std::vector<Refusal>& refusals);
  void say_empties(const std::vector<Empty>& empties);
  void say_device(const Device& device);
  void say_guests();
  void report_status(const std::vector<DomainView>& views);

  Output& output_;
  const bool debug_;
  LimitedLog log_;
  std::optional<Config> config_;
  DeviceTable devices_;
  DomainTable domains_;
  Attempts attempts_;
  Flapping flapping_;
  TakenBack taken_back_;
  Lethal lethal_;
  std::vector<Conflict> conflicts_;  // those that hold, and were said
  std::vector<Refusal> refusals_;    // the same
  std::vector<Empty> empties_;       // the same
  Clock::time_point next_round_;
  Clock::time_point next_attempt_ = Clock::time_point::max();
  bool plan_is_old_ = false;
  bool rescan_asked_ = false;  // and its snapshot has not ended
  std::optional<Status> reported_;
  bool scanner_ping_ = false;  // unanswered
  bool pinged_ = false;        // and not yet said that all is alive
};

}  // namespace whawty
