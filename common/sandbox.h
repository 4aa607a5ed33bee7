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

// What the kernel restricts thread by thread, and in those that the thread starts later: capabilities,
// no_new_privs, Landlock, in this order. Throws Unsealed, which names the step that failed: the caller must
// end the process then, as with the other two.
void restrict_thread(const Sandbox& sandbox);

// What it restricts in all threads at once: no core dumps and no ptrace by the process's own user, resource
// limits, seccomp. Wants no thread that is not restricted.
void seal_process(const Sandbox& sandbox);

// Both, for a process of one thread.
void seal(const Sandbox& sandbox);

}  // namespace whawty
