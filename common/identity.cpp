// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/identity.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "common/text.h"

namespace whawty {
namespace {

void check(long result, const char* step) {
  if (result != 0) throw std::system_error(errno, std::generic_category(), step);
}

// capget(2) and capset(2) have no wrapper in the C library; in version 3 of their ABI a set is two 32-bit
// words.
using CapabilityWords = std::array<__user_cap_data_struct, 2>;

CapabilityWords held_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  CapabilityWords held{};
  check(::syscall(SYS_capget, &header, held.data()), "capget");
  return held;
}

}  // namespace

Identity identity_of(const std::string& user) {
  errno = 0;
  const passwd* const entry = ::getpwnam(user.c_str());
  if (entry == nullptr) throw std::runtime_error("there is no user " + user);
  Identity identity{entry->pw_uid, entry->pw_gid, {}};
  constexpr int kMaxGroups = 64;
  int count = kMaxGroups;
  identity.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(user.c_str(), identity.gid, identity.groups.data(), &count) < 0)
    throw std::runtime_error(concat("user ", user, " is in more than ", kMaxGroups, " groups"));
  identity.groups.resize(static_cast<std::size_t>(count));
  std::erase(identity.groups, identity.gid);
  return identity;
}

void become(const Identity& identity) {
  check(::setgroups(identity.groups.size(), identity.groups.data()), "setgroups");
  check(::setresgid(identity.gid, identity.gid, identity.gid), "setresgid");
  check(::setresuid(identity.uid, identity.uid, identity.uid), "setresuid");
}

bool has_capability(int capability) {
  const auto word = static_cast<std::size_t>(CAP_TO_INDEX(capability));
  return (held_capabilities()[word].effective & CAP_TO_MASK(capability)) != 0;
}

void keep_capabilities(std::uint64_t mask) {
  const CapabilityWords held = held_capabilities();
  __user_cap_data_struct kept[2]{};
  for (unsigned word = 0; word < 2; ++word) {
    const auto part = static_cast<std::uint32_t>(mask >> (32 * word));
    kept[word] = {held[word].permitted & part, held[word].permitted & part, 0};
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "clearing the ambient capabilities");
  check(::syscall(SYS_capset, &header, kept), "capset");
}

}  // namespace whawty
