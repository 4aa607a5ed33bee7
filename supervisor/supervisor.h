// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The supervisor's work: it keeps a generation of workers alive, hands the configuration to the matcher, and
// answers signals and the service manager. It reads nothing that a device or a guest can have written.
#pragma once

#include <chrono>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "common/rate_limit.h"
#include "protocol/matcher_to_supervisor.h"
#include "supervisor/config_files.h"
#include "supervisor/generation.h"
#include "supervisor/heartbeat.h"
#include "supervisor/notifier.h"
#include "supervisor/workers.h"

namespace whawty {

class Supervisor {
 public:
  struct Settings {
    std::string config;         // path of the main file
    bool trusted_only = false;  // refuse configuration files that others could have written
    WorkerSettings workers;
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
  void offer(const ConfigFiles& config, std::time_t in_use_since);
  void reload();
  void start_generation();
  void end_generation();
  void interrupt_reload();
  void ping();
  std::string keeping() const;
  void wait();
  void handle_signals();
  void child_ended();
  void handle_matcher();
  void handle(const PolicyMessage& message);
  void tell_status();
  void pong();
  void accepted();
  void rejected();
  void finish(int exit_code) { exit_code_ = exit_code; }
  int milliseconds_to_wait() const;

  const Settings settings_;
  const Programs programs_;
  const Fd signals_;
  const Notifier notifier_;

  std::optional<Generation> generation_;
  std::vector<pid_t> left_;                         // workers of earlier ones that could not end
  std::optional<Heartbeat> heartbeat_;              // of the present one
  Clock::time_point start_at_;                      // of the next generation, while there is none
  std::optional<Clock::time_point> at_work_since_;  // the present one: when its matcher took a configuration
  RateLimit status_limit_;                          // of what the service manager is told
  bool have_answered_ = false;                      // workers have answered a ping
  std::chrono::milliseconds pause_;                 // before the next start after a failure

  std::optional<ConfigFiles> accepted_;  // in use
  std::time_t in_use_since_ = 0;
  std::optional<ConfigFiles> read_;  // read, not yet answered by the matcher
  bool reoffered_ = false;           // the matcher has yet to accept again what an earlier one had accepted
  bool reload_requested_ = false;
  bool reload_interrupted_ = false;    // workers ended during the last one
  std::optional<std::string> status_;  // not yet told
  std::optional<int> exit_code_;
};

}  // namespace whawty
