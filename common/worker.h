// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the main of every worker has around its work.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

namespace whawty {

// The command line of a worker, written by the supervisor.
struct WorkerOptions {
  bool landlock = true;                          // not --without-landlock
  std::string connect;                           // --connect URI, for the gate and the actuator
  std::string libvirt;                           // --libvirt URI: what is behind it, for the actuator's log
  bool host_mounts = false;                      // --host-mounts: the scanner got that descriptor
  bool journal = false;                          // --journal: it got that descriptor
  bool observe = false;                          // --observe: the matcher asks for no change
  std::optional<std::set<std::string>> domains;  // --domain NAME, each, or --no-domain, for both
};

// What ends a worker and is an alarm: its line begins with that word.
struct Alarm : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws std::runtime_error for what the supervisor does not write.
WorkerOptions parse_worker_options(int argc, char** argv);

// Names the process and starts its log, does the work, and returns the exit code that tells the supervisor
// how it ended, with one line in the log unless a peer's end was all there was.
int run_worker(const char* name, int argc, char** argv,
               const std::function<void(const WorkerOptions&)>& work);

// The same for a part of the work after which no destructors may run.
int exit_code_of(const std::function<void()>& work);

}  // namespace whawty
