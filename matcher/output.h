// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the matcher wants done, for its main to do: no file of the deciding part does any I/O.
#pragma once

#include "matcher/said/limited_log.h"
#include "protocol/matcher_to_actuator.h"
#include "protocol/matcher_to_scanner.h"
#include "protocol/matcher_to_supervisor.h"

namespace whawty {

class Output : public LineSink {
 public:
  virtual void send(const Request& request) = 0;  // to the actuator
  virtual void ask(ScanRequest request) = 0;      // to the scanner
  virtual void report(const Status& status) = 0;  // to the supervisor
  virtual void pong() = 0;                        // to the supervisor

 protected:
  ~Output() = default;
};

}  // namespace whawty
