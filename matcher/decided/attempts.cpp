// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/attempts.h"

#include <algorithm>
#include <utility>

namespace whawty {
namespace {

using namespace std::chrono_literals;

constexpr Clock::duration kFirstPause = 100ms;
constexpr Clock::duration kLongestPause = 30s;
constexpr unsigned kSayFromFailure = 2;

Clock::duration pause_after(unsigned count) {
  Clock::duration pause = kFirstPause;
  for (unsigned i = 1; i < count && pause < kLongestPause; ++i) pause *= 2;
  return std::min(pause, kLongestPause);
}

}  // namespace

bool Attempts::due(const ChangeKey& key, Clock::time_point now) const {
  const auto found = attempts_.find(key);
  return found == attempts_.end() || found->second.not_before <= now;
}

Attempts::Report Attempts::ended(const ChangeKey& key, bool done, Clock::time_point now,
                                 Clock::duration at_least) {
  Attempt& attempt = attempts_[key];
  const bool outdated = std::exchange(attempt.hurried, false) && !done;
  if (attempt.tries.count++ == 0) attempt.tries.first = now;
  // Not at once: it may be the attempt itself that changes something.
  const Clock::duration pause = outdated ? kFirstPause : pause_after(attempt.tries.count);
  attempt.not_before = now + std::max(pause, at_least);
  return report(attempt, done);
}

Attempts::Report Attempts::report(Attempt& attempt, bool done) {
  if (!done) {
    // One failure is not worth a line: udev tells of a device before QEMU can open it, and the next try
    // works.
    if (attempt.tries.count < kSayFromFailure || std::exchange(attempt.said_failed, true))
      return Report::kNothing;
    return Report::kFailed;
  }
  if (std::exchange(attempt.said_failed, false)) {
    attempt.said_done = true;
    return Report::kMended;
  }
  if (!std::exchange(attempt.said_done, true)) return Report::kDone;
  return std::exchange(attempt.said_no_effect, true) ? Report::kNothing : Report::kNoEffect;
}

void Attempts::hurry(Attempt& attempt) {
  attempt.not_before = {};
  attempt.hurried = true;
}

void Attempts::hurry(const Uuid& domain) {
  for (auto& [key, attempt] : attempts_)
    if (key.domain == domain) hurry(attempt);
}

void Attempts::hurry(std::uint16_t bus, std::uint16_t device) {
  for (auto& [key, attempt] : attempts_)
    if (key.hostdev.bus == bus && key.hostdev.device == device) hurry(attempt);
}

void Attempts::hurry() {
  for (auto& [key, attempt] : attempts_) hurry(attempt);
}

Clock::time_point Attempts::next(Clock::time_point now) const {
  auto next = Clock::time_point::max();
  for (const auto& [key, attempt] : attempts_)
    if (attempt.not_before > now) next = std::min(next, attempt.not_before);
  return next;
}

}  // namespace whawty
