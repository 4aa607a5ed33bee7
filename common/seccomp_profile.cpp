// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/seccomp_profile.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "common/syscall_names.h"
#include "common/text.h"

namespace whawty {
namespace {

// libseccomp returns a negative errno.
void check(int result, const char* step) {
  if (result < 0) throw std::runtime_error(concat("seccomp: ", step, ": ", std::strerror(-result)));
}

}  // namespace

std::vector<SyscallRule> by_every_name(std::span<const SyscallRule> profile) {
  std::vector<SyscallRule> rules;
  const auto add = [&rules](SyscallRule rule, int number) {
    rule.number = number;
    if (number >= 0) rules.push_back(rule);
  };
  for (const SyscallRule& rule : profile) {
    add(rule, rule.number);
    for (const NewerName& name : kNewerNames)
      if (name.call == rule.number) add(rule, name.newer);
  }
  return rules;
}

void load_profile(std::span<const SyscallRule> profile) {
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_KILL_PROCESS),
                                                                 &seccomp_release);
  if (!filter) throw std::runtime_error("seccomp: this kernel does not offer it");
  check(seccomp_attr_set(filter.get(), SCMP_FLTATR_API_SYSRAWRC, 1), "the kernel's own reasons");
  check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1), "for all threads");
  // A call by another ABI would otherwise end no more than the thread that makes it.
  check(seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "for other ABIs");
  for (const SyscallRule& rule : by_every_name(profile)) {
    unsigned count = 0;
    while (count < rule.conditions.size() && rule.conditions[count].op != _SCMP_CMP_MIN) ++count;
    check(seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, rule.number, count, rule.conditions.data()),
          rule.reason);
  }
  for (int number = kLastKnownCall + 1; number <= kLastAnsweredCall; ++number)
    check(seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(ENOSYS), number, 0, nullptr),
          "for newer calls");
  check(seccomp_load(filter.get()), "loading the filter");
}

}  // namespace whawty
