// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/supervisor.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <system_error>

#include "common/log.h"
#include "protocol/supervisor_to_matcher.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;

constexpr int kMessagesAtATime = 64;  // of the matcher, before signals and pings have their turn
// Of a status that comes sooner, the service manager hears with the next one or the next ping.
constexpr int kStatusPerSecond = 10;
constexpr int kStatusAtOnce = 20;

}  // namespace

std::string text_of(const Status& status, bool observes) {
  if (!status.libvirt_connected) return "waiting for libvirt";
  return concat(observes ? "observing: " : "", status.running, " of ", status.machines, " machines running, ",
                status.attached, " of ", status.devices, " USB devices attached");
}

Supervisor::Supervisor(Settings settings, Programs programs, Fd signals)
    : settings_(std::move(settings)),
      programs_(std::move(programs)),
      signals_(std::move(signals)),
      status_limit_(kStatusPerSecond, kStatusAtOnce) {}

int Supervisor::run() {
  if (!read_config()) return EXIT_FAILURE;
  while (!exit_code_) {
    if (!generation_ && Clock::now() >= restarts_.next()) start_generation();
    ping();
    if (reload_requested_ && generation_ && !handover_.waits()) reload();
    wait();
  }
  generation_.reset();
  return *exit_code_;
}

bool Supervisor::read_config() {
  auto result = read_config_files(settings_.config, settings_.trusted_only);
  if (const auto* const error = std::get_if<ConfigReadError>(&result)) {
    const std::string kept = handover_.keeping();
    const auto say = kept.empty() ? log::last_line : log::line;
    say(log::Level::kError, error->message + kept, Record{Event::kPolicyRefused});
    return false;
  }
  auto& config = std::get<ConfigFiles>(result);
  for (const std::string& notice : config.notices) log::warning(notice);
  handover_.read(std::move(config));
  return true;
}

void Supervisor::reload() {
  reload_requested_ = false;
  notifier_.reloading();
  try {
    heartbeat_->stir(Clock::now());
    if (read_config()) return handover_.offer(generation_->matcher());
  } catch (const std::system_error& error) {
    log::error(error.what(), handover_.keeping());
    handover_.drop();
  }
  notifier_.ready();
}

void Supervisor::start_generation() {
  generation_.emplace(programs_, settings_.workers, settings_.gate_folder);
  restarts_.started();
  heartbeat_.emplace(Clock::now());
  handover_.begin(generation_->matcher());
}

// The heartbeat: a ping through all workers, and the end of a generation that does not answer.
void Supervisor::ping() {
  const auto due = generation_ ? heartbeat_->due(Clock::now()) : Heartbeat::Due::kNothing;
  if (due == Heartbeat::Due::kNothing) return;
  if (due == Heartbeat::Due::kEnd) {
    log::error("the workers have not answered for ", heartbeat_->patience().count(), " s");
    return end_generation();
  }
  try {
    generation_->matcher().send(encode(Ping{}));
    generation_->gate().send(Datagram(1));
  } catch (const PeerClosed&) {
    // Reading will show the same.
  }
}

void Supervisor::end_generation() {
  const Generation::End end = generation_->kill();
  left_.insert(left_.end(), end.left.begin(), end.left.end());
  generation_.reset();
  // Not once they have worked: whoever takes over a worker could end the daemon with that exit code.
  if (end.unsealed && !have_answered_) {
    log::error("a worker could not be sealed: ending");
    return finish(EXIT_FAILURE);
  }
  log::warning(end.causes.empty() ? "a worker ended" : end.causes, ": starting all four again in ",
               restarts_.ended(Clock::now()).count(), " ms");
  reload_was_interrupted();
}

void Supervisor::reload_was_interrupted() {
  switch (handover_.ended()) {
    case Handover::Interrupted::kNothing:
      return;
    case Handover::Interrupted::kReadAgain:
      log::warning("the workers ended before they had taken the new configuration: it is read again");
      reload_requested_ = true;
      return;
    case Handover::Interrupted::kGivenUp:
      log::error("the workers ended again before they had taken the new configuration", handover_.keeping());
      notifier_.ready();
  }
}

int Supervisor::milliseconds_to_wait() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      (generation_ ? heartbeat_->next() : restarts_.next()) - Clock::now());
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

void Supervisor::wait() {
  pollfd waits[] = {{signals_.get(), POLLIN, 0}, {-1, 0, 0}, {-1, 0, 0}};
  if (generation_) {
    waits[1] = {generation_->matcher().fd(), generation_->matcher().poll_events(), 0};
    waits[2] = {generation_->gate().fd(), generation_->gate().poll_events(), 0};
  }
  if (::poll(waits, std::size(waits), milliseconds_to_wait()) < 0 && errno != EINTR)
    throw std::system_error(errno, std::generic_category(), "poll");
  if (waits[0].revents != 0) handle_signals();
  if (waits[1].revents != 0 && generation_) handle_matcher();
  if (waits[2].revents != 0 && generation_) handle_gate();
}

void Supervisor::handle_signals() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGHUP) reload_requested_ = true;
    if (signal.ssi_signo == SIGCHLD) child_ended();
    if (signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGINT) {
      notifier_.stopping();
      finish(EXIT_SUCCESS);
    }
  }
}

void Supervisor::child_ended() {
  // 0: it is still there.
  std::erase_if(left_, [](pid_t worker) { return ::waitpid(worker, nullptr, WNOHANG) != 0; });
  if (!generation_) return;
  if (generation_->worker_ended()) return end_generation();
  heartbeat_->stir(Clock::now());  // one was stopped
}

void Supervisor::handle_matcher() {
  try {
    generation_->matcher().flush();
    Received received;
    for (int i = 0; i < kMessagesAtATime && !exit_code_ && generation_->matcher().receive(received); ++i) {
      if (received.attached) throw Violation("a policy message with a descriptor");
      handle(decode_policy_message(received.datagram));
    }
  } catch (const PeerClosed&) {
    end_generation();
  } catch (const Violation& violation) {
    log::error("the matcher broke the protocol: ", violation.what());
    end_generation();
  }
}

void Supervisor::handle_gate() {
  try {
    generation_->gate().flush();
    Received received;
    while (generation_->gate().receive(received)) {
      if (received.attached || received.datagram.size() != 1) throw Violation("more than a byte");
      answered(Heartbeat::kGate);
    }
  } catch (const PeerClosed&) {
    end_generation();
  } catch (const Violation& violation) {
    log::error("the gate broke the protocol: ", violation.what());
    end_generation();
  }
}

void Supervisor::handle(const PolicyMessage& message) {
  if (const auto* const status = std::get_if<Status>(&message)) {
    status_ = text_of(*status, settings_.workers.observe);
    return tell_status();
  }
  if (std::holds_alternative<Pong>(message)) return answered(Heartbeat::kMatcher);
  if (std::holds_alternative<Awake>(message)) return heartbeat_->stir(Clock::now());
  if (std::holds_alternative<ConfigRejected>(message)) return answered(handover_.rejected());
  const Handover::Verdict verdict = handover_.accepted(std::time(nullptr));
  restarts_.at_work(Clock::now());
  answered(verdict);
}

void Supervisor::tell_status() {
  if (!status_ || status_limit_.wait(Clock::now()) > 0s) return;
  status_limit_.count(Clock::now());
  notifier_.status(*std::exchange(status_, std::nullopt));
}

void Supervisor::answered(Heartbeat::Who who) {
  if (!heartbeat_->answered(who, Clock::now())) return;
  have_answered_ = true;
  notifier_.watchdog();
  tell_status();
}

void Supervisor::answered(Handover::Verdict verdict) {
  // Of a configuration that it rejects, the matcher has said why in the log.
  if (verdict == Handover::Verdict::kNone) return finish(EXIT_FAILURE);
  if (verdict != Handover::Verdict::kAsBefore) notifier_.ready();
}

}  // namespace whawty
