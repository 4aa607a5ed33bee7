// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Users, groups and capabilities: who a process is, and how it becomes somebody with less power.
#pragma once

#include <linux/capability.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace whawty {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary groups, gid not among them
};

// Looks a user up in the user database, with the supplementary groups that it lists for him.
// Throws std::runtime_error when there is no such user.
Identity identity_of(const std::string& user);

// Becomes that user for good: groups, then group, then user, each for real, effective and saved id.
// Throws std::system_error when a step fails.
void become(const Identity& identity);

// True if the capability (CAP_ of linux/capability.h) is in this process's effective set.
bool has_capability(int capability);

// Keeps of all capabilities only those of the mask (bit n: capability n of linux/capability.h), in the
// permitted and the effective set; the inheritable and the ambient set become empty. Throws
// std::system_error.
void keep_capabilities(std::uint64_t mask);

}  // namespace whawty
