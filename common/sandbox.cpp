// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "common/identity.h"
#include "common/text.h"

namespace whawty {
namespace {

void check(bool done, const char* step, int error) {
  if (!done) throw Unsealed(concat("sandbox: ", step, ": ", std::strerror(error)));
}

// For what sets errno, which must not be read before the call.
void check_call(int result, const char* step) {
  check(result == 0, step, errno);
}

// libseccomp returns a negative errno.
void check_seccomp(int result, const char* step) {
  check(result == 0, step, -result);
}

void forbid_core_dumps() {
  const rlimit none{0, 0};
  check_call(::setrlimit(RLIMIT_CORE, &none), "core size limit");
  check_call(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "not dumpable");
}

void load(std::span<const SyscallRule> profile) {
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_KILL_PROCESS),
                                                                 &seccomp_release);
  check(filter != nullptr, "seccomp_init", ENOMEM);
  check_seccomp(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1), "seccomp for all threads");
  for (const SyscallRule& rule : profile) {
    unsigned count = 0;
    while (count < rule.conditions.size() && rule.conditions[count].op != _SCMP_CMP_MIN) ++count;
    check_seccomp(
        seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, rule.number, count, rule.conditions.data()),
        rule.reason);
  }
  check_seccomp(seccomp_load(filter.get()), "seccomp_load");
}

}  // namespace

void seal(std::span<const SyscallRule> profile, std::uint64_t kept_capabilities) {
  try {
    keep_capabilities(kept_capabilities);
  } catch (const std::runtime_error& error) {
    throw Unsealed(concat("sandbox: ", error.what()));
  }
  check_call(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  forbid_core_dumps();
  load(profile);
}

}  // namespace whawty
