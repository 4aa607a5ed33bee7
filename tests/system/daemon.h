// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The daemon as a user runs it.
#pragma once

#include <string>

#include "tests/process.h"

namespace whawty::fake {

class Daemon : public Process {
 public:
  explicit Daemon(const std::string& program);
  ~Daemon();

  // Keeps root's capabilities, as a service of systemd has them. Otherwise it is started without any, and if
  // the test runs as root, as the user nobody.
  bool privileged = false;

  int terminal = -1;  // its stderr, instead of the log

  // The process of a worker, or 0.
  pid_t worker(const std::string& name) const;

  // A line of /proc/PID/status without its name: of a worker, or of the supervisor.
  std::string status(const std::string& line, const std::string& worker = "") const;
};

}  // namespace whawty::fake
