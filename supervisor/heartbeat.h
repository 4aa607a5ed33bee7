// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// When to ask the workers whether they are alive, and for how long to wait for the answer.
#pragma once

#include <chrono>

namespace whawty {

class Heartbeat {
 public:
  using Clock = std::chrono::steady_clock;

  // Workers were started.
  explicit Heartbeat(Clock::time_point now) : last_(now), next_(now + kInterval) {}

  enum class Due { kNothing, kPing, kEnd };  // kEnd: they did not answer in time

  // What is due, which then counts as done.
  Due due(Clock::time_point now);

  // Two answer: the matcher for the workers that are behind it, and the gate. True with the answer of the
  // second one: then all are alive. Throws Violation for one that was not asked, or has answered.
  enum Who : unsigned { kMatcher = 1, kGate = 2 };
  bool answered(Who who, Clock::time_point now);

  // One of them may have begun to do something: it woke, was given something, or was stopped.
  void stir(Clock::time_point now);

  // When something is due next.
  Clock::time_point next() const { return next_; }

  // How long an answer may take. The scanner spends up to five seconds on devices that are slow before it
  // looks up; the start of all programs, before the first answer, may take longer.
  std::chrono::seconds patience() const { return has_answered_ ? kPatience : kFirstPatience; }

  // Workers that do nothing are asked seldom. Others soon, so that one that hangs is found within the same
  // time as if all were asked at each interval, but not while what woke them is under way.
  static constexpr std::chrono::seconds kRest{20};
  static constexpr std::chrono::seconds kInterval{5};
  static constexpr std::chrono::seconds kSoon{2};
  static constexpr std::chrono::seconds kPatience{10};
  static constexpr std::chrono::seconds kFirstPatience{20};

 private:
  unsigned asked_ = 0;    // who was, and has not yet answered
  bool stirred_ = false;  // since the matcher answered, and the gate has not yet
  bool has_answered_ = false;
  Clock::time_point last_;  // when they were started, or answered
  Clock::time_point next_;
};

}  // namespace whawty
