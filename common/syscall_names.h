// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What another C library, or the same one on another architecture, calls instead of a call that a table
// names.
#pragma once

#include <seccomp.h>

namespace whawty {

// A call, and one that came later for the same purpose with no more power. A table that has the first has the
// second too, under the same conditions.
struct NewerName {
  int call;
  int newer;
};

// arm64 has none of the first names but fstat, getrlimit, setrlimit and clone.
//
// Not here: kin that can do more (openat2, preadv2, recvmmsg, process_madvise), and what came after
// Linux 6.1.
inline constexpr NewerName kNewerNames[] = {
    {SCMP_SYS(poll), SCMP_SYS(ppoll)},
    {SCMP_SYS(dup2), SCMP_SYS(dup3)},
    {SCMP_SYS(clone), SCMP_SYS(clone3)},
    {SCMP_SYS(open), SCMP_SYS(openat)},
    {SCMP_SYS(access), SCMP_SYS(faccessat)},
    {SCMP_SYS(access), SCMP_SYS(faccessat2)},
    {SCMP_SYS(readlink), SCMP_SYS(readlinkat)},
    {SCMP_SYS(unlink), SCMP_SYS(unlinkat)},
    // fstat(3) is newfstatat in glibc 2.33 to 2.38, and fstat before and after it; statx is what libudev
    // takes.
    {SCMP_SYS(fstat), SCMP_SYS(newfstatat)},
    {SCMP_SYS(fstat), SCMP_SYS(statx)},
    {SCMP_SYS(stat), SCMP_SYS(newfstatat)},
    {SCMP_SYS(stat), SCMP_SYS(statx)},
    {SCMP_SYS(lstat), SCMP_SYS(newfstatat)},
    {SCMP_SYS(lstat), SCMP_SYS(statx)},
    {SCMP_SYS(getrlimit), SCMP_SYS(prlimit64)},
    {SCMP_SYS(setrlimit), SCMP_SYS(prlimit64)},
};

// The last call of Linux 6.1, the oldest kernel that the daemon is tested on: set_mempolicy_home_node(2).
// From Linux 5.1 on a new call has one number on all architectures. A library that knows a later one has to
// do without it on Linux 6.1, where it is answered ENOSYS; the tables answer the same, for as many numbers as
// Linux adds in ten years. Nothing is loosened by it: what is answered so is not done. Among these calls are
// those that a C library may come to prefer for its locks (futex_wait) and at its start (map_shadow_stack,
// mseal).
inline constexpr int kLastKnownCall = 450;
inline constexpr int kLastAnsweredCall = 550;

}  // namespace whawty
