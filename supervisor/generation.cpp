// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/generation.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/descriptors.h"
#include "common/log.h"
#include "common/text.h"
#include "supervisor/gate_socket.h"
#include "supervisor/worker_end.h"

namespace whawty {
namespace {

constexpr useconds_t kReapMicroseconds = 10'000;
constexpr int kReapAttempts = 20;
constexpr int kDeathAttempts = 100;  // one second

}  // namespace

struct Generation::Sockets {
  explicit Sockets(const Fd& folder) : gate(gate_socket(folder)) {}

  std::pair<Fd, Fd> control = Channel::pair();    // supervisor, matcher
  std::pair<Fd, Fd> devices = Channel::pair();    // scanner, matcher
  std::pair<Fd, Fd> commands = Channel::pair();   // matcher, actuator
  std::pair<Fd, Fd> heartbeat = Channel::pair();  // supervisor, gate
  GateSocket gate;                                // actuator, gate
};

Generation::Generation(const Programs& programs, const WorkerSettings& settings, const Fd& folder)
    : Generation(programs, settings, Sockets{folder}) {}

Generation::Generation(const Programs& programs, const WorkerSettings& settings, Sockets sockets)
    : matcher_(std::move(sockets.control.first)),
      gate_(std::move(sockets.heartbeat.first)),
      workers_{{{programs.scanner}, {programs.matcher}, {programs.actuator}, {programs.gate}}} {
  auto& [scanner, matcher, actuator, gate] = workers_;
  const auto with_journal = [&settings](std::vector<Passed> descriptors) {
    if (settings.journal) descriptors.push_back({kJournal, kJournal});
    return descriptors;
  };
  std::vector<Passed> of_scanner{{sockets.devices.first.get(), kScannerToMatcher}};
  if (settings.host_mounts) of_scanner.push_back({STDIN_FILENO, kScannerHostMounts});
  scanner.pid = start(scanner.program, scanner_arguments(settings), of_scanner);
  matcher.pid = start(matcher.program, matcher_arguments(settings),
                      with_journal({{sockets.control.second.get(), kMatcherToSupervisor},
                                    {sockets.devices.second.get(), kMatcherToScanner},
                                    {sockets.commands.first.get(), kMatcherToActuator}}));
  actuator.pid = start(actuator.program, actuator_arguments(settings),
                       with_journal({{sockets.commands.second.get(), kActuatorToMatcher},
                                     {sockets.gate.place.get(), kActuatorToGate}}));
  gate.pid = start(gate.program, gate_arguments(settings),
                   with_journal({{sockets.heartbeat.second.get(), kGateToSupervisor},
                                 {sockets.gate.listener.get(), kGateListener}}));
}

Generation::~Generation() {
  kill_rest();
}

void Generation::reap(Worker& worker, bool killed, End& end) {
  int status = 0;
  pid_t pid = 0;
  do pid = ::waitpid(worker.pid, &status, WNOHANG);
  while (pid < 0 && errno == EINTR);
  if (pid == 0) return;
  worker.pid = 0;
  const auto [unsealed, cause] = end_of(status, killed);
  end.unsealed = end.unsealed || unsealed;
  if (!cause.empty())
    end.causes += concat(end.causes.empty() ? "the " : ", the ", worker.program.name, ' ', cause);
}

bool Generation::worker_ended() {
  bool ended = false;
  for (Worker& worker : workers_) {
    if (worker.pid != 0) reap(worker, false, end_);
    ended = ended || worker.pid == 0;
  }
  return ended;
}

Generation::End Generation::kill() {
  // The worker that ended first is not the first to be reaped: its peers end when its channels close, which
  // is before it has said why.
  worker_ended();
  for (int i = 0; i < kReapAttempts && end_.causes.empty() && any_runs(); ++i) {
    ::usleep(kReapMicroseconds);
    worker_ended();
  }
  kill_rest();
  return end_;
}

bool Generation::any_runs() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const Worker& worker) { return worker.pid != 0; });
}

void Generation::kill_rest() {
  for (const Worker& worker : workers_)
    if (worker.pid != 0) whawty::kill(worker.program, worker.pid);
  for (Worker& worker : workers_) {
    for (int i = 0; i < kDeathAttempts && worker.pid != 0; ++i) {
      reap(worker, true, end_);
      if (worker.pid != 0) ::usleep(kReapMicroseconds);
    }
    if (worker.pid == 0) continue;
    log::warning("the ", worker.program.name, " was killed and will end when the kernel lets it");
    end_.left.push_back(std::exchange(worker.pid, 0));
  }
}

}  // namespace whawty
