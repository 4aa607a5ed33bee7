// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether the workers beside this one are alive, which the supervisor asks from time to time.
#pragma once

#include <utility>

#include "protocol/violation.h"

namespace whawty {

class Heartbeat {
 public:
  // The supervisor asks, and so the scanner is asked.
  void begin() {
    if (std::exchange(asked_, true)) throw Violation("a ping before the last one was answered");
    scanner_asked_ = true;
  }

  void scanner_answered() {
    if (!std::exchange(scanner_asked_, false)) throw Violation("an answer to no ping");
  }

  // True once for each time that the supervisor has asked, when all have answered.
  bool take_all_alive(bool actuator_asked) {
    return asked_ && !scanner_asked_ && !actuator_asked && std::exchange(asked_, false);
  }

 private:
  bool asked_ = false;          // and not yet told
  bool scanner_asked_ = false;  // and not answered
};

}  // namespace whawty
