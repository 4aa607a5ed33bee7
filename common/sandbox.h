// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The seal: what a process can no longer do once it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include "common/seccomp_profile.h"

namespace whawty {

struct Sandbox {
  std::span<const SyscallRule> profile;

  // The capabilities that are kept: bit n is capability n of linux/capability.h.
  std::uint64_t capabilities = 0;

  // The directories below which it may still read files (Landlock). Not given: no restriction.
  std::optional<std::vector<const char*>> readable = std::nullopt;

  // How many descriptors it may have open, and how many bytes of memory of its own. Not given: as before.
  std::optional<std::uint64_t> descriptors = std::nullopt;
  std::optional<std::uint64_t> memory = std::nullopt;

  // Otherwise it can start no process, and write to no file but a log that is one.
  bool may_start_processes = false;
};

struct Unsealed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Seals the process and all its threads, in this order: capabilities, no_new_privs, no core dumps and no
// ptrace by its own user, resource limits, Landlock, seccomp. Throws Unsealed, which names the step that
// failed: the caller must end the process then.
void seal(const Sandbox& sandbox);

}  // namespace whawty
