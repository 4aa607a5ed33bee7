// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/profile.h"

#include <fcntl.h>

#include <csignal>

#include "common/descriptors.h"

namespace whawty {
namespace {

constexpr const char* kSeeking =
    "lists of /proc from their start; the C library's streams, which libudev reads with; never the log";

constexpr const char* kRandom =
    "the same, where glibc 2.41 takes them from the vDSO: no signal may come between";

constexpr SyscallRule kRules[] = {
    // The channel and the log.
    {SCMP_SYS(sendmsg), when(equals_int(0, kScannerToMatcher)), "devices, to the matcher and to nobody else"},
    {SCMP_SYS(recvmsg), when(equals_int(0, kScannerToMatcher)), "requests of the matcher"},
    {SCMP_SYS(recvmsg), when(equals_int(0, kScannerUdev)), "events of udev"},
    {SCMP_SYS(recvfrom), when(equals_int(0, kScannerUdev)), "libudev asks how long the next event is"},
    {SCMP_SYS(recvfrom), when(equals_int(0, kScannerRoutes)), "that a route or a network interface changed"},
    {SCMP_SYS(poll), kAnyArguments,
     "waiting for the matcher, for udev, and for mounts, swap and routes to change"},
    {SCMP_SYS(write), when(equals_int(0, kLog)), "the log, and no other file"},
    // sysfs and the udev data.
    {SCMP_SYS(openat), when(deny_bits(2, kWriting)),
     "directories and attributes of sysfs, files of the udev data"},
    {SCMP_SYS(read), kAnyArguments, "their content, and lists of /proc that were opened before"},
    {SCMP_SYS(close), kAnyArguments, "every file that was opened"},
    {SCMP_SYS(getdents64), kAnyArguments, "the list of devices, the interfaces of one"},
    // A descriptor from 4 to the limit of 64 has one of these bits; the log, which may be a file, has none.
    {SCMP_SYS(lseek), when(require_bits(0, 4)), kSeeking},
    {SCMP_SYS(lseek), when(require_bits(0, 8)), kSeeking},
    {SCMP_SYS(lseek), when(require_bits(0, 16)), kSeeking},
    {SCMP_SYS(lseek), when(require_bits(0, 32)), kSeeking},
    {SCMP_SYS(fstat), kAnyArguments, "libudev follows paths component by component"},
    {SCMP_SYS(fstatfs), kAnyArguments, "libudev makes sure that a path is in sysfs"},
    {SCMP_SYS(readlinkat), kAnyArguments,
     "where in sysfs a disk or an interface belongs; libudev reads a device's subsystem"},
    {SCMP_SYS(access), kAnyArguments, "is udevd running, does a path exist"},
    {SCMP_SYS(fcntl), when(equals_int(1, F_GETFL)), "fdopendir(3) looks at what it is given"},
    {SCMP_SYS(fcntl), when(equals_int(1, F_SETFD), equals_int(2, FD_CLOEXEC)), "and closes it at exec"},
    // Memory: more of it, and never to execute.
    {SCMP_SYS(brk), kAnyArguments, "malloc"},
    {SCMP_SYS(mmap), kPlainMemory, "malloc of large blocks"},
    {SCMP_SYS(mremap), kAnyArguments, "realloc of large blocks"},
    {SCMP_SYS(munmap), kAnyArguments, "free of large blocks"},
    {SCMP_SYS(futex), when(kFutexWait), "locks between threads: waiting"},
    {SCMP_SYS(futex), when(kFutexWake), "waking who waits"},
    {SCMP_SYS(futex), when(kFutexWaitUntil), "waiting until a moment"},
    {SCMP_SYS(sysinfo), kAnyArguments, "qsort(3) asks how much memory it may use, which libudev sorts with"},
    {SCMP_SYS(getrandom), kAnyArguments, "seeds of libudev's hash tables"},
    {SCMP_SYS(rt_sigprocmask), when(equals_int(0, SIG_BLOCK)), kRandom},
    {SCMP_SYS(rt_sigprocmask), when(equals_int(0, SIG_SETMASK)), kRandom},
    {SCMP_SYS(clock_gettime), kAnyArguments, "time, where the vDSO has none"},
    {SCMP_SYS(restart_syscall), kAnyArguments, "poll goes on after the process or the host was suspended"},
    {SCMP_SYS(exit_group), kAnyArguments, "the end"},
};

}  // namespace

const std::span<const SyscallRule> kScannerProfile{kRules};

}  // namespace whawty
