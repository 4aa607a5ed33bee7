// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A kernel that refuses some calls.
#pragma once

#include <seccomp.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace whawty {

// A call that fails with this error if all conditions hold.
struct Refusal {
  int call;
  std::vector<scmp_arg_cmp> when = {};
  int error = EPERM;
};

// Other than equals() of the product's tables, the names of these are the test's: what the call is refused
// at.
constexpr scmp_arg_cmp is(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
constexpr scmp_arg_cmp is_not(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_NE, value, 0};
}

// To this process, and to the program that it becomes, for good.
inline void refuse(const std::vector<Refusal>& refusals) {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (refusals.empty()) return;
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  for (const Refusal& refusal : refusals)
    if (seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(refusal.error)),
                               refusal.call, static_cast<unsigned>(refusal.when.size()),
                               refusal.when.data()) != 0)
      throw std::runtime_error("a refusal that cannot be");
  if (seccomp_load(filter) != 0) throw std::runtime_error("loading the refusals");
  seccomp_release(filter);
}

}  // namespace whawty
