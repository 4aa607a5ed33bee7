// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The real matcher, sealed, among a supervisor, a scanner and an actuator that the test plays: well-behaved
// until told otherwise.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <thread>

#include "common/exit_code.h"
#include "protocol/actuator_to_matcher.h"
#include "protocol/matcher_to_actuator.h"
#include "protocol/matcher_to_supervisor.h"
#include "protocol/scanner_to_matcher.h"
#include "protocol/supervisor_to_matcher.h"
#include "tests/hostile/worker.h"

namespace whawty::hostile {

// A device that every machine of these tests wants.
Device device(unsigned port);

// Domain number 1, 2, ...
Uuid uuid(std::uint64_t domain);

class MatcherTest : public testing::Test {
 protected:
  Peer& supervisor() { return matcher_.peer(kMatcherToSupervisor); }
  Peer& scanner() { return matcher_.peer(kMatcherToScanner); }
  Peer& actuator() { return matcher_.peer(kMatcherToActuator); }

  // Sends a file of a configuration.
  bool offer(const std::string& content, const std::string& machine = "");

  // Has these machines configured, with an interval of an hour, and waits until that is accepted.
  void configure(const std::vector<std::string>& machines);
  bool is_answered();

  bool tell(const ScannerMessage& message) { return scanner().send(encode(message)); }
  bool tell(const ActuatorMessage& message) { return actuator().send(encode(message)); }

  // A whole snapshot.
  void tell_devices(const std::vector<Device>& devices);

  // The next request of the kind. What else comes meanwhile is lost.
  template <class Kind>
  Request expect() {
    while (const auto datagram = actuator().receive()) {
      Request request = decode_request(*datagram);
      if (std::holds_alternative<Kind>(request.what)) return request;
    }
    throw std::runtime_error("a request does not come");
  }

  // Answers the first list request with domains that run: number and name.
  void tell_domains(const std::map<std::uint64_t, std::string>& domains);

  // Answers requests like an actuator whose calls all work on domains without hostdevs, until the matcher
  // is gone.
  std::jthread serve(std::map<std::uint64_t, std::string> domains);

  // It still serves its supervisor, and ends well.
  void expect_service();

  // One that gets a datagram of garbage by this channel, of any length, ends with one line.
  void expect_end_by_garbage(int channel);

  // It ends with a failure and these last words, and has logged no line but one and those before.
  void expect_violation(const std::string& words);

  Worker matcher_{WHAWTY_MATCHER, 3};
  std::size_t lines_before_ = 0;
  std::minstd_rand random_{11};
};

}  // namespace whawty::hostile
