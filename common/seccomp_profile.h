// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The system calls that a process may make: a table that the process and the tests share.
#pragma once

#include <fcntl.h>
#include <linux/futex.h>
#include <seccomp.h>
#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace whawty {

// One system call that a sealed process may make, with conditions on its arguments that must all hold.
struct SyscallRule {
  int number;                              // SCMP_SYS(name), negative if this architecture has no such call
  std::array<scmp_arg_cmp, 2> conditions;  // unused ones are the last, with kNoCondition
  const char* reason;                      // what the process needs it for
};

inline constexpr scmp_arg_cmp kNoCondition{0, _SCMP_CMP_MIN, 0, 0};

// No condition on the arguments.
inline constexpr std::array<scmp_arg_cmp, 2> kAnyArguments{kNoCondition, kNoCondition};

// The argument (counted from 0) has this value, compared as 64 bits.
constexpr scmp_arg_cmp equals(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}

// An int argument has this value; its upper half, which the kernel ignores, may hold anything.
constexpr scmp_arg_cmp equals_int(unsigned argument, std::uint32_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, 0xffffffffU, value};
}

// An int argument has this value but for these bits, which may be set or not.
constexpr scmp_arg_cmp equals_but_for(unsigned argument, std::uint32_t value, std::uint32_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, 0xffffffffU & ~bits, value};
}

// All of these bits are set in the argument.
constexpr scmp_arg_cmp require_bits(unsigned argument, std::uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, bits};
}

// None of these bits is set in the argument.
constexpr scmp_arg_cmp deny_bits(unsigned argument, std::uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, 0};
}

// The flags of open(2) that would change a file. O_TMPFILE holds the bit of O_DIRECTORY, which listing needs.
inline constexpr std::uint64_t kWriting =
    O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);

// Memory that no file is behind, and that is never executable: mmap(2).
inline constexpr std::array<scmp_arg_cmp, 2> kPlainMemory{deny_bits(2, PROT_EXEC),
                                                          require_bits(3, MAP_ANONYMOUS)};

// All that locks, condition variables and futures of the C and the C++ library, GLib and Abseil ask
// of futex(2): to wait, to wake, and to wait until a moment by either clock; within the process or, as
// std::future and pthread_join(3) ask, without saying so.
inline constexpr scmp_arg_cmp kFutexWait = equals_but_for(1, FUTEX_WAIT, FUTEX_PRIVATE_FLAG);
inline constexpr scmp_arg_cmp kFutexWake = equals_but_for(1, FUTEX_WAKE, FUTEX_PRIVATE_FLAG);
inline constexpr scmp_arg_cmp kFutexWaitUntil =
    equals_but_for(1, FUTEX_WAIT_BITSET, FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

constexpr std::array<scmp_arg_cmp, 2> when(scmp_arg_cmp first, scmp_arg_cmp second = kNoCondition) {
  return {first, second};
}

// The rules with a row for each name of a call that this architecture has: the one in the table, then those
// of kNewerNames.
std::vector<SyscallRule> by_every_name(std::span<const SyscallRule> profile);

// From here on the kernel kills this process, with all its threads, at any system call that no rule allows by
// one of its names, but for those that came after kLastKnownCall: these fail with ENOSYS.
// Wants no_new_privs. Throws std::runtime_error that names the step that failed.
void load_profile(std::span<const SyscallRule> profile);

}  // namespace whawty
