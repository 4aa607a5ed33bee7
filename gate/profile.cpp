// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "gate/profile.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "common/descriptors.h"

namespace whawty {
namespace {

constexpr SyscallRule kProfile[] = {
    {SCMP_SYS(poll), kAnyArguments, "waiting for either side"},
    {SCMP_SYS(read), kAnyArguments, "what either side sends, without its descriptors; the heartbeat; sysfs"},
    {SCMP_SYS(write), kAnyArguments, "what may pass; the heartbeat; the log"},
    {SCMP_SYS(accept4), when(equals_int(0, kGateListener)),
     "the actuator, and once more if libvirtd did not let it in"},
    {SCMP_SYS(openat), when(deny_bits(2, kWriting)), "what a device is, in sysfs, before an attach passes"},
    {SCMP_SYS(close), kAnyArguments, "those files; the connection of an actuator that was not let in"},
    {SCMP_SYS(futex), when(kFutexWake),
     "the first exception, which ends it: the C library sets itself up once"},
    {SCMP_SYS(restart_syscall), kAnyArguments, "resuming a wait after a stop"},
    {SCMP_SYS(clock_gettime), kAnyArguments, "time, where the kernel gives no faster way"},
    {SCMP_SYS(brk), kAnyArguments, "memory"},
    {SCMP_SYS(mmap), kPlainMemory, "memory, of no file and never executable"},
    {SCMP_SYS(munmap), kAnyArguments, "memory"},
    {SCMP_SYS(exit_group), kAnyArguments, "the end"},
};

}  // namespace

const std::span<const SyscallRule> kGateProfile{kProfile};

}  // namespace whawty
