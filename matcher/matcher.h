// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The matcher's work: three channels, and the reconciler that decides what goes out on them.
#pragma once

#include <poll.h>

#include <array>
#include <ctime>
#include <string>
#include <vector>

#include "matcher/configuration/config_loader.h"
#include "matcher/reconciler.h"
#include "protocol/channel.h"
#include "protocol/ping.h"
#include "protocol/supervisor_to_matcher.h"

namespace whawty {

class Matcher final : private Output {
 public:
  // One that observes asks for no change.
  Matcher(Channel supervisor, Channel scanner, Channel actuator, bool observes);

  // Serves until a peer closes its end (PeerClosed) or breaks the protocol (Violation).
  [[noreturn]] void serve();

 private:
  using Waits = std::array<pollfd, 3>;  // supervisor, scanner, actuator

  Waits wait();
  void answer_ping();
  void say_awake();
  void receive(const Waits& waits);
  void take(const ControlMessage& message, const Fd& attached);
  void commit(const ConfigCommit& commit);
  void refused(const std::string& message, const std::string& digest) const;

  void send(const Request& request) override;
  void ask(ScanRequest request) override;
  void report(const Status& status) override;
  void pong() override;
  void say(log::Level level, const std::string& line) override { record(level, line, {}); }
  void record(log::Level level, const std::string& line, const Record& record) override;

  Channel supervisor_, scanner_, actuator_;
  Reconciler reconciler_;
  Wakes wakes_;
  bool pong_is_due_ = false;
  std::vector<ConfigText> offered_;  // the files since the last commit
  std::string in_use_since_;         // time of day of the configuration in use; empty if there is none
};

}  // namespace whawty
