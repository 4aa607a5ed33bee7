// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/profile.h"

#include <sys/prctl.h>

#include <csignal>

#include "common/descriptors.h"

namespace whawty {
namespace {

constexpr SyscallRule kProfile[] = {
    {SCMP_SYS(poll), kAnyArguments, "waiting for the three channels"},
    {SCMP_SYS(recvmsg), when(equals_int(0, kMatcherToSupervisor)), "messages of the supervisor"},
    {SCMP_SYS(recvmsg), when(equals_int(0, kMatcherToScanner)), "messages of the scanner"},
    {SCMP_SYS(recvmsg), when(equals_int(0, kMatcherToActuator)), "messages of the actuator"},
    {SCMP_SYS(sendmsg), when(equals_int(0, kMatcherToSupervisor)), "messages to the supervisor"},
    {SCMP_SYS(sendmsg), when(equals_int(0, kMatcherToScanner)), "messages to the scanner"},
    {SCMP_SYS(sendmsg), when(equals_int(0, kMatcherToActuator)), "messages to the actuator"},
    {SCMP_SYS(pread64), kAnyArguments, "configuration files, from descriptors of the supervisor"},
    {SCMP_SYS(close), kAnyArguments, "those descriptors, when they are read"},
    {SCMP_SYS(write), when(equals_int(0, kLog)), "the log"},
    {SCMP_SYS(write), when(equals_int(0, kJournal)), "the log, where a line has a record for the journal"},
    {SCMP_SYS(brk), kAnyArguments, "memory"},
    {SCMP_SYS(mmap), kPlainMemory, "memory, of no file and never executable"},
    {SCMP_SYS(munmap), kAnyArguments, "memory"},
    {SCMP_SYS(futex), when(kFutexWake),
     "what is made once, as the C++ library and RE2 have it; with one thread nobody waits"},
    {SCMP_SYS(prctl), when(equals_int(0, PR_SET_VMA), equals(1, PR_SET_VMA_ANON_NAME)),
     "Abseil, below RE2, names its memory for /proc/PID/maps"},
    {SCMP_SYS(rt_sigprocmask), when(equals_int(0, SIG_SETMASK)),
     "Abseil tells threads apart once RE2 has locked something, with no signal in between"},
    {SCMP_SYS(clock_gettime), kAnyArguments, "time, where the kernel gives no faster way"},
    {SCMP_SYS(restart_syscall), kAnyArguments, "resuming a wait after a stop"},
    {SCMP_SYS(exit_group), kAnyArguments, "the end"},
};

}  // namespace

const std::span<const SyscallRule> kMatcherProfile{kProfile};

}  // namespace whawty
