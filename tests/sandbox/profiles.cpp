// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "profiles.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "actuator/profile.h"
#include "gate/profile.h"
#include "matcher/profile.h"
#include "scanner/profile.h"
#include "supervisor/profile.h"

namespace whawty {

std::array<Profile, 5> profiles() {
  return {{{"supervisor", kSupervisorProfile},
           {"scanner", kScannerProfile},
           {"matcher", kMatcherProfile},
           {"actuator", kActuatorProfile},
           {"gate", kGateProfile}}};
}

std::span<const SyscallRule> profile_of(const std::string& process) {
  for (const Profile& profile : profiles())
    if (process == profile.process) return profile.rules;
  throw std::out_of_range(process);
}

std::string name_of(int number) {
  const std::unique_ptr<char, decltype(&std::free)> name(
      seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), &std::free);
  return name ? std::string(name.get()) : std::to_string(number);
}

std::span<const scmp_arg_cmp> conditions_of(const SyscallRule& rule) {
  const std::span<const scmp_arg_cmp> all(rule.conditions);
  const auto used = std::find_if(all.begin(), all.end(),
                                 [](const scmp_arg_cmp& condition) { return condition.op == _SCMP_CMP_MIN; });
  return all.first(static_cast<std::size_t>(used - all.begin()));
}

}  // namespace whawty
