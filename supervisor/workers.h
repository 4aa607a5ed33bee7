// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The four workers: what each is given, who it runs as, and how it is started.
#pragma once

#include <sys/types.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "common/fd.h"
#include "common/identity.h"

namespace whawty {

// A descriptor of the supervisor, and its number in a worker: see common/descriptors.h.
struct Passed {
  int descriptor;
  int number;
};

// A worker program: its file, opened before the supervisor gave up its powers, and the user that it becomes.
struct Program {
  std::string name;
  Fd file;
  std::optional<Identity> identity;  // none: the supervisor's own user
};

struct Programs {
  Program scanner, matcher, actuator, gate;
};

// Opens the workers in libexec/whawty-libvirt-usb-hotplugd beside the folder of the supervisor's own file,
// and looks up their users if this process may change its user. Throws std::runtime_error: a missing user or
// file, and what to do.
Programs find_programs();

// Ends a worker that was started and not yet waited for. A child becomes the worker's user for it, so that
// the supervisor needs no capability to send signals to others.
void kill(const Program& program, pid_t worker);

// Starts a worker. 0 is /dev/null, 1 and 2 are the supervisor's stderr, and beside those that are passed
// nothing else is open. It never has the supervisor's user if it has an own one:
// that changes before exec. Throws std::system_error when there are no more processes.
pid_t start(const Program& program, const std::vector<std::string>& arguments,
            const std::vector<Passed>& descriptors);

}  // namespace whawty
