// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/profile.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "common/descriptors.h"

namespace whawty {
namespace {

constexpr SyscallRule kProfile[] = {
    {SCMP_SYS(poll), kAnyArguments, "waiting: the main thread, libvirt's event loop and its calls"},
    {SCMP_SYS(recvmsg), when(equals_int(0, kActuatorToMatcher)),
     "requests of the matcher, and of nobody else"},
    {SCMP_SYS(sendmsg), when(equals_int(0, kActuatorToMatcher)),
     "answers to the matcher, and to nobody else"},
    {SCMP_SYS(read), kAnyArguments, "libvirt's socket; the wake-up counters"},
    {SCMP_SYS(write), kAnyArguments, "libvirt's socket; the wake-up counters; the log"},
    {SCMP_SYS(openat), when(deny_bits(2, kWriting)),
     "what a device is, in sysfs, before and after an attach"},
    {SCMP_SYS(close), kAnyArguments, "those files; a descriptor that a peer sent against the protocol"},
    {SCMP_SYS(futex), when(kFutexWait), "locks between threads: waiting"},
    {SCMP_SYS(futex), when(kFutexWake), "waking who waits"},
    {SCMP_SYS(futex), when(kFutexWaitUntil), "waiting until a moment"},
    {SCMP_SYS(rt_sigprocmask), kAnyArguments, "libvirt blocks signals while it waits"},
    {SCMP_SYS(restart_syscall), kAnyArguments, "resuming a wait after a stop"},
    {SCMP_SYS(clock_gettime), kAnyArguments, "time, where the kernel gives no faster way"},
    {SCMP_SYS(gettimeofday), kAnyArguments, "libvirt's timers, likewise"},
    {SCMP_SYS(brk), kAnyArguments, "memory"},
    {SCMP_SYS(mmap), kPlainMemory, "memory, of no file and never executable"},
    {SCMP_SYS(mprotect), when(deny_bits(2, PROT_EXEC)), "memory, never executable"},
    {SCMP_SYS(munmap), kAnyArguments, "memory"},
    {SCMP_SYS(mremap), kAnyArguments, "memory: a long XML grows"},
    {SCMP_SYS(madvise), kAnyArguments, "memory given back"},
    {SCMP_SYS(getpid), kAnyArguments, "libvirt's messages"},
    {SCMP_SYS(gettid), kAnyArguments, "libvirt's messages; ending by abort"},
    {SCMP_SYS(exit_group), kAnyArguments, "the end"},
};

}  // namespace

const std::span<const SyscallRule> kActuatorProfile{kProfile};

}  // namespace whawty
