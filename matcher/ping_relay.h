// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The supervisor's ping, passed on to the scanner and to the actuator: answered when both have.
#pragma once

#include <utility>

#include "protocol/violation.h"

namespace whawty {

class PingRelay {
 public:
  // The supervisor asks, and so the scanner is asked.
  void ping() {
    if (std::exchange(asked_, true)) throw Violation("a ping before the last one was answered");
    scanner_asked_ = true;
  }

  // The scanner has answered.
  void pong() {
    if (!std::exchange(scanner_asked_, false)) throw Violation("an answer to no ping");
  }

  // True once for each time that the supervisor has asked, when all have answered.
  bool take_pong(bool actuator_asked) {
    return asked_ && !scanner_asked_ && !actuator_asked && std::exchange(asked_, false);
  }

 private:
  bool asked_ = false;          // and not yet told
  bool scanner_asked_ = false;  // and not answered
};

}  // namespace whawty
