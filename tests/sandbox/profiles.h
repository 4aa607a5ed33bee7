// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The five tables, each with the name of its process.
#pragma once

#include <array>
#include <ostream>
#include <span>
#include <string>

#include "common/seccomp_profile.h"

namespace whawty {

struct Profile {
  const char* process;
  std::span<const SyscallRule> rules;
};

std::array<Profile, 5> profiles();

// The table of that process.
std::span<const SyscallRule> profile_of(const std::string& process);

// The kernel's name of a system call of this machine, or its number where it has none.
std::string name_of(int number);

// The conditions of a rule, without the unused ones at the end.
std::span<const scmp_arg_cmp> conditions_of(const SyscallRule& rule);

inline void PrintTo(const Profile& profile, std::ostream* out) {
  *out << profile.process;
}

}  // namespace whawty
