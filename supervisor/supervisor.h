// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The supervisor's work: it keeps a generation of workers alive, hands the configuration to the matcher, and
// answers signals and the service manager. It reads nothing that a device or a guest can have written.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/rate_limit.h"
#include "protocol/matcher_to_supervisor.h"
#include "supervisor/generation.h"
#include "supervisor/handover.h"
#include "supervisor/heartbeat.h"
#include "supervisor/notifier.h"
#include "supervisor/restarts.h"
#include "supervisor/workers.h"

namespace whawty {

// What the service manager shows of a status.
std::string text_of(const Status& status, bool observes);

class Supervisor {
 public:
  struct Settings {
    std::string config;         // path of the main file
    bool trusted_only = false;  // refuse configuration files that others could have written
    WorkerSettings workers;
    Fd gate_folder;
  };

  // The signals must be blocked, and readable from that descriptor (signalfd(2)): SIGHUP, SIGTERM, SIGINT,
  // SIGCHLD.
  Supervisor(Settings settings, Programs programs, Fd signals);

  // Runs until SIGTERM or SIGINT, and returns the daemon's exit code. Not 0 if the first configuration is bad
  // or a worker cannot be sealed; both are in the log then.
  int run();

 private:
  using Clock = std::chrono::steady_clock;

  bool read_config();
  void reload();
  void start_generation();
  void end_generation();
  void reload_was_interrupted();
  void ping();
  void wait();
  void handle_signals();
  void child_ended();
  void handle_matcher();
  void handle(const PolicyMessage& message);
  void tell_status();
  void handle_gate();
  void answered(Heartbeat::Who who);
  void answered(Handover::Verdict verdict);
  void finish(int exit_code) { exit_code_ = exit_code; }
  int milliseconds_to_wait() const;

  const Settings settings_;
  const Programs programs_;
  const Fd signals_;
  const Notifier notifier_;

  std::optional<Generation> generation_;
  std::vector<pid_t> left_;             // workers of earlier ones that could not end
  std::optional<Heartbeat> heartbeat_;  // of the present one
  Restarts restarts_;
  RateLimit status_limit_;      // of what the service manager is told
  bool have_answered_ = false;  // workers have answered a ping
  Handover handover_;
  bool reload_requested_ = false;
  std::optional<std::string> status_;  // not yet told
  std::optional<int> exit_code_;
};

}  // namespace whawty
