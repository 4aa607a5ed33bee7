// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/matcher.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "common/bounds.h"
#include "matcher/configuration/policy_digest.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

constexpr int kMessagesAtATime = 256;  // of one channel, before the others have their turn

// The position of the descriptor is shared with the supervisor's, so it is not used.
std::string read_all(const Fd& file) {
  std::string content(kMaxConfigBytes + 1, '\0');  // one more than the loader takes
  std::size_t length = 0;
  while (length < content.size()) {
    const ssize_t part =
        ::pread(file.get(), content.data() + length, content.size() - length, static_cast<off_t>(length));
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) throw std::system_error(errno, std::generic_category(), "reading a configuration file");
    if (part == 0) break;
    length += static_cast<std::size_t>(part);
  }
  content.resize(length);
  content.shrink_to_fit();
  return content;
}

int milliseconds_until(Clock::time_point when) {
  if (when == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now()).count();
  constexpr std::chrono::milliseconds::rep kLongest = 60'000;
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left, 0, kLongest));
}

// What has come, if anything has.
template <class Handle>
void receive_from(Channel& channel, const pollfd& wait, Handle handle) {
  if (wait.revents == 0) return;
  channel.flush();
  Received received;
  for (int i = 0; i < kMessagesAtATime && channel.receive(received); ++i) handle(received);
}

// The time in microseconds, so that no other matcher, before or after this one, counts on from the same
// number: it becomes the occasion in an alias, and stands in the records of matcher and gate.
std::uint64_t last_request() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

void refuse_descriptor(const Received& received) {
  if (received.attached) throw Violation("a message with a descriptor");
}

}  // namespace

Matcher::Matcher(Channel supervisor, Channel scanner, Channel actuator, bool observes)
    : supervisor_(std::move(supervisor)),
      scanner_(std::move(scanner)),
      actuator_(std::move(actuator)),
      reconciler_(*this, log::debug_enabled(), observes, last_request()) {}

void Matcher::serve() {
  while (true) {
    receive(wait());
    reconciler_.step(Clock::now());
  }
}

Matcher::Waits Matcher::wait() {
  answer_ping();
  Waits waits{{{supervisor_.fd(), supervisor_.poll_events(), 0},
               {scanner_.fd(), scanner_.poll_events(), 0},
               {actuator_.fd(), actuator_.poll_events(), 0}}};
  if (::poll(waits.data(), waits.size(), milliseconds_until(reconciler_.next_step(Clock::now()))) < 0)
    return {};
  const auto& [of_supervisor, of_scanner, of_actuator] = waits;
  if (of_supervisor.revents == 0 || of_scanner.revents != 0 || of_actuator.revents != 0) say_awake();
  return waits;
}

// When all else is done: the supervisor no longer counts the time then.
void Matcher::answer_ping() {
  if (!std::exchange(pong_is_due_, false)) return;
  const bool others_are_at_work = wakes_.answered();
  supervisor_.send(encode(PolicyMessage{Pong{}}));
  if (others_are_at_work) supervisor_.send(encode(PolicyMessage{Awake{}}));
}

void Matcher::say_awake() {
  if (wakes_.woke()) supervisor_.send(encode(PolicyMessage{Awake{}}));
}

void Matcher::receive(const Waits& waits) {
  const auto& [of_supervisor, of_scanner, of_actuator] = waits;
  receive_from(supervisor_, of_supervisor, [this](const Received& received) {
    take(decode_control_message(received.datagram), received.attached);
  });
  receive_from(scanner_, of_scanner, [this](const Received& received) {
    refuse_descriptor(received);
    ScannerMessage message = decode_scanner_message(received.datagram);
    if (std::holds_alternative<Awake>(message)) return wakes_.stirred();
    reconciler_.take(std::move(message), Clock::now());
  });
  receive_from(actuator_, of_actuator, [this](const Received& received) {
    refuse_descriptor(received);
    const ActuatorMessage message = decode_actuator_message(received.datagram);
    if (std::holds_alternative<Awake>(message)) return wakes_.stirred();
    reconciler_.take(message, Clock::now());
  });
}

void Matcher::take(const ControlMessage& message, const Fd& attached) {
  const auto* const file = std::get_if<ConfigFile>(&message);
  if ((file != nullptr) != static_cast<bool>(attached)) throw Violation("a descriptor too few or too many");
  if (std::holds_alternative<Ping>(message)) {
    wakes_.asked();
    return reconciler_.ping(Clock::now());
  }
  if (file == nullptr) return commit(std::get<ConfigCommit>(message));
  if (file->machine.empty() != offered_.empty()) throw Violation("configuration files out of order");
  if (offered_.size() > kMaxConfigFiles) throw Violation("too many configuration files");
  offered_.push_back({file->name, file->machine, read_all(attached)});
}

void Matcher::commit(const ConfigCommit& commit) {
  if (offered_.empty()) throw Violation("a configuration without a file");
  const bool is_new = commit.in_use_since == 0;
  const std::string since =
      log::time_of_day(is_new ? std::time(nullptr) : static_cast<std::time_t>(commit.in_use_since));
  const std::string digest = policy_digest(offered_);
  auto result = load_config(offered_);
  offered_.clear();
  if (const auto* const error = std::get_if<ConfigError>(&result)) {
    refused(error->message, digest);
    if (log::on_terminal())
      for (const std::string& line : error->source) log::error("    ", line);
    return supervisor_.send(encode(ConfigRejected{}));
  }
  auto& loaded = std::get<LoadedConfig>(result);
  const std::size_t machines = loaded.config.machines.size();
  for (const std::string& notice : loaded.notices) log::info(notice);
  if (is_new)
    log::line(log::Level::kInfo,
              concat(in_use_since_.empty() ? "using" : "reloaded", " the configuration: ", machines,
                     machines == 1 ? " machine" : " machines"),
              Record{Event::kPolicyLoaded}.add("POLICY_SHA256", digest));
  reconciler_.use(std::move(loaded.config), Clock::now(), digest);
  in_use_since_ = since;
  supervisor_.send(encode(ConfigAccepted{}));
}

void Matcher::send(const Request& request) {
  if (!std::holds_alternative<Ping>(request.what)) wakes_.stirred();
  actuator_.send(encode(request));
}

void Matcher::ask(ScanRequest request) {
  if (request != ScanRequest::kPing) wakes_.stirred();
  scanner_.send(encode(request));
}

void Matcher::pong() {
  pong_is_due_ = true;
}

// With no other configuration that it could keep, the daemon ends.
void Matcher::refused(const std::string& message, const std::string& digest) const {
  const Record record = Record{Event::kPolicyRefused}.add("REFUSED_SHA256", digest);
  if (in_use_since_.empty()) return log::last_line(log::Level::kError, message, record);
  const std::string kept = concat(". Keeping the configuration of ", in_use_since_, '.');
  log::line(log::Level::kError, message + kept, record);
}

void Matcher::report(const Status& status) {
  supervisor_.send(encode(status));
}

void Matcher::record(log::Level level, const std::string& line, const Record& record) {
  if (level != log::Level::kDebug || log::debug_enabled()) log::line(level, line, record);
}

}  // namespace whawty
