// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "common/log.h"
#include "protocol/supervisor_to_matcher.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;

constexpr auto kFirstPause = 100ms;
constexpr auto kLongestPause = 5s;
// A generation that did its work for that long starts the pauses over. What a start takes does not count.
constexpr auto kHealthyAfter = 1s;
constexpr int kMessagesAtATime = 64;  // of the matcher, before signals and pings have their turn
// Of a status that comes sooner, the service manager hears with the next one or the next ping.
constexpr int kStatusPerSecond = 10;
constexpr int kStatusAtOnce = 20;

std::string describe(const Status& status) {
  if (!status.libvirt_connected) return "waiting for libvirt";
  return concat(status.running, " of ", status.machines, " machines running, ", status.attached, " of ",
                status.devices, " USB devices attached");
}

}  // namespace

Supervisor::Supervisor(Settings settings, Programs programs, Fd signals)
    : settings_(std::move(settings)),
      programs_(std::move(programs)),
      signals_(std::move(signals)),
      status_limit_(kStatusPerSecond, kStatusAtOnce),
      pause_(kFirstPause) {}

int Supervisor::run() {
  if (!read_config()) return EXIT_FAILURE;
  while (!exit_code_) {
    if (!generation_ && Clock::now() >= start_at_) start_generation();
    ping();
    if (reload_requested_ && generation_ && !read_ && !reoffered_) reload();
    wait();
  }
  generation_.reset();
  return *exit_code_;
}

bool Supervisor::read_config() {
  auto result = read_config_files(settings_.config, settings_.trusted_only);
  if (const auto* const error = std::get_if<ConfigReadError>(&result)) {
    log::error(error->message, keeping());
    return false;
  }
  read_ = std::move(std::get<ConfigFiles>(result));
  for (const std::string& notice : read_->notices) log::warning(notice);
  return true;
}

void Supervisor::offer(const ConfigFiles& config, std::time_t in_use_since) {
  // All copies before the first message, so that a lack of descriptors leaves the matcher as it is.
  std::vector<Fd> contents;
  for (const ConfigCopy& file : config.files) {
    contents.emplace_back(::fcntl(file.content.get(), F_DUPFD_CLOEXEC, 0));
    if (!contents.back())
      throw std::system_error(errno, std::generic_category(), "handing over the configuration");
  }
  try {
    Channel& matcher = generation_->matcher();
    for (std::size_t i = 0; i < contents.size(); ++i)
      matcher.send(encode(ConfigFile{config.files[i].name, config.files[i].machine}), std::move(contents[i]));
    matcher.send(encode(ConfigCommit{in_use_since}));
  } catch (const PeerClosed&) {
    // Reading from the matcher will show the same, and end the generation.
  }
}

void Supervisor::reload() {
  reload_requested_ = false;
  notifier_.reloading();
  try {
    if (read_config()) return offer(*read_, 0);
  } catch (const std::system_error& error) {
    log::error(error.what(), keeping());
    read_.reset();
  }
  notifier_.ready();
}

// The end of an error message about a configuration that will not be used.
std::string Supervisor::keeping() const {
  return accepted_ ? ". Keeping the configuration of " + log::time_of_day(in_use_since_) + '.' : "";
}

void Supervisor::start_generation() {
  generation_.emplace(programs_, settings_.workers);
  at_work_since_.reset();
  heartbeat_.emplace(Clock::now());
  reoffered_ = accepted_.has_value();
  if (accepted_) {
    offer(*accepted_, in_use_since_);
  } else {
    offer(*read_, 0);
  }
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
  if (at_work_since_ && Clock::now() - *at_work_since_ >= kHealthyAfter) pause_ = kFirstPause;
  log::warning(end.causes.empty() ? "a worker ended" : end.causes, ": starting all three again in ",
               pause_.count(), " ms");
  start_at_ = Clock::now() + pause_;
  pause_ = std::min<std::chrono::milliseconds>(2 * pause_, kLongestPause);
  if (accepted_ && read_) interrupt_reload();
}

// The workers ended before they had taken the new configuration. If that happens twice, it may be the
// configuration that ends the matcher; the old one is known to work.
void Supervisor::interrupt_reload() {
  read_.reset();
  if (!std::exchange(reload_interrupted_, true)) {
    log::warning("the workers ended before they had taken the new configuration: it is read again");
    reload_requested_ = true;
    return;
  }
  reload_interrupted_ = false;
  log::error("the workers ended again before they had taken the new configuration", keeping());
  notifier_.ready();
}

int Supervisor::milliseconds_to_wait() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      (generation_ ? heartbeat_->next() : start_at_) - Clock::now());
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

void Supervisor::wait() {
  pollfd waits[] = {{signals_.get(), POLLIN, 0}, {-1, 0, 0}};
  if (generation_) waits[1] = {generation_->matcher().fd(), generation_->matcher().poll_events(), 0};
  if (::poll(waits, 2, milliseconds_to_wait()) < 0 && errno != EINTR)
    throw std::system_error(errno, std::generic_category(), "poll");
  if (waits[0].revents != 0) handle_signals();
  if (waits[1].revents != 0 && generation_) handle_matcher();
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
  if (generation_ && generation_->worker_ended()) end_generation();
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

void Supervisor::handle(const PolicyMessage& message) {
  if (const auto* const status = std::get_if<Status>(&message)) {
    status_ = describe(*status);
    return tell_status();
  }
  if (std::holds_alternative<Pong>(message)) return pong();
  if (!read_ && !reoffered_) throw Violation("an answer to no configuration");
  if (std::holds_alternative<ConfigAccepted>(message)) {
    accepted();
  } else {
    rejected();
  }
}

void Supervisor::tell_status() {
  if (!status_ || status_limit_.wait(Clock::now()) > 0s) return;
  status_limit_.count(Clock::now());
  notifier_.status(*std::exchange(status_, std::nullopt));
}

void Supervisor::pong() {
  if (!heartbeat_->answered(Clock::now())) throw Violation("an answer to no ping");
  have_answered_ = true;
  notifier_.watchdog();
  tell_status();
}

void Supervisor::accepted() {
  at_work_since_ = Clock::now();
  if (reoffered_) {
    reoffered_ = false;
    return;
  }
  accepted_ = std::exchange(read_, std::nullopt);
  reload_interrupted_ = false;
  in_use_since_ = std::time(nullptr);
  notifier_.ready();
}

void Supervisor::rejected() {
  // The matcher has said why in the log.
  if (reoffered_) throw Violation("rejecting a configuration that was accepted before");
  if (!accepted_) return finish(EXIT_FAILURE);
  read_.reset();
  reload_interrupted_ = false;
  notifier_.ready();
}

}  // namespace whawty
