// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/profile.h"

#include <sched.h>

#include <csignal>

namespace whawty {
namespace {

constexpr const char* kStart = "a worker's start, before it seals itself";
constexpr const char* kConnect = "libvirt's client until it is connected";
constexpr const char* kMonitor = "the scanner's udev monitor until it receives";
constexpr const char* kWorkers = "starting, ending and reaping the workers";
constexpr const char* kConfig = "the configuration files and their copies";
constexpr const char* kGate = "the gate's socket, which the actuator alone can reach";
constexpr const char* kRun = "waiting, talking, time and memory, here and in every worker";

constexpr SyscallRule kProfile[] = {
    {SCMP_SYS(clone), kAnyArguments, kWorkers},
    {SCMP_SYS(execveat), kAnyArguments, kWorkers},
    {SCMP_SYS(wait4), kAnyArguments, kWorkers},
    {SCMP_SYS(kill), when(equals_int(1, SIGKILL)), kWorkers},
    {SCMP_SYS(setsid), kAnyArguments, kWorkers},
    {SCMP_SYS(setgroups), kAnyArguments, kWorkers},
    {SCMP_SYS(setresgid), kAnyArguments, kWorkers},
    {SCMP_SYS(setresuid), kAnyArguments, kWorkers},
    {SCMP_SYS(capget), kAnyArguments, kWorkers},
    {SCMP_SYS(capset), kAnyArguments, kWorkers},
    {SCMP_SYS(prctl), kAnyArguments, kWorkers},
    {SCMP_SYS(dup2), kAnyArguments, kWorkers},
    {SCMP_SYS(close_range), kAnyArguments, kWorkers},
    {SCMP_SYS(socketpair), kAnyArguments, kWorkers},
    {SCMP_SYS(set_robust_list), kAnyArguments, kWorkers},

    {SCMP_SYS(socket), kAnyArguments, kGate},
    {SCMP_SYS(umask), kAnyArguments, kGate},
    {SCMP_SYS(bind), kAnyArguments, kGate},
    {SCMP_SYS(unlink), kAnyArguments, kGate},
    {SCMP_SYS(listen), kAnyArguments, kGate},

    {SCMP_SYS(open), kAnyArguments, kConfig},
    {SCMP_SYS(fstat), kAnyArguments, kConfig},
    {SCMP_SYS(getdents64), kAnyArguments, kConfig},
    {SCMP_SYS(memfd_create), kAnyArguments, kConfig},
    {SCMP_SYS(sendfile), kAnyArguments, kConfig},
    {SCMP_SYS(fcntl), kAnyArguments, kConfig},
    {SCMP_SYS(lseek), kAnyArguments, kConfig},

    {SCMP_SYS(read), kAnyArguments, kRun},
    {SCMP_SYS(write), kAnyArguments, kRun},
    {SCMP_SYS(close), kAnyArguments, kRun},
    {SCMP_SYS(poll), kAnyArguments, kRun},
    {SCMP_SYS(recvmsg), kAnyArguments, kRun},
    {SCMP_SYS(sendmsg), kAnyArguments, kRun},
    {SCMP_SYS(sendto), kAnyArguments, "the service manager's socket"},
    {SCMP_SYS(accept4), kAnyArguments, "the gate, for the actuator"},
    {SCMP_SYS(clock_gettime), kAnyArguments, kRun},
    {SCMP_SYS(gettimeofday), kAnyArguments, kRun},
    {SCMP_SYS(clock_nanosleep), kAnyArguments, kRun},
    {SCMP_SYS(brk), kAnyArguments, kRun},
    {SCMP_SYS(mmap), kAnyArguments, kRun},
    {SCMP_SYS(mprotect), kAnyArguments, kRun},
    {SCMP_SYS(munmap), kAnyArguments, kRun},
    {SCMP_SYS(mremap), kAnyArguments, kRun},
    {SCMP_SYS(madvise), kAnyArguments, kRun},
    {SCMP_SYS(futex), kAnyArguments, kRun},
    {SCMP_SYS(rt_sigprocmask), kAnyArguments, kRun},
    {SCMP_SYS(rt_sigaction), kAnyArguments, kRun},
    {SCMP_SYS(restart_syscall), kAnyArguments, kRun},
    {SCMP_SYS(exit), kAnyArguments, "the threads of a worker that cannot start all of them"},
    {SCMP_SYS(exit_group), kAnyArguments, kRun},
    {SCMP_SYS(getpid), kAnyArguments, kRun},
    {SCMP_SYS(gettid), kAnyArguments, kRun},

    {SCMP_SYS(pread64), kAnyArguments, kStart},
    {SCMP_SYS(access), kAnyArguments, kStart},
    {SCMP_SYS(arch_prctl), kAnyArguments, kStart},
    {SCMP_SYS(set_tid_address), kAnyArguments, kStart},
    {SCMP_SYS(rseq), kAnyArguments, kStart},
    {SCMP_SYS(unshare), when(equals(0, CLONE_FILES)),
     "descriptors of its own for the scanner's thread that serves"},
    {SCMP_SYS(getrlimit), kAnyArguments, kStart},
    {SCMP_SYS(setrlimit), kAnyArguments, kStart},
    {SCMP_SYS(getrandom), kAnyArguments, kStart},
    {SCMP_SYS(readlink), kAnyArguments, kStart},
    {SCMP_SYS(seccomp), kAnyArguments, kStart},
    {SCMP_SYS(landlock_create_ruleset), kAnyArguments, kStart},
    {SCMP_SYS(landlock_add_rule), kAnyArguments, kStart},
    {SCMP_SYS(landlock_restrict_self), kAnyArguments, kStart},
    {SCMP_SYS(ioctl), kAnyArguments, kStart},
    {SCMP_SYS(stat), kAnyArguments, kStart},
    {SCMP_SYS(lstat), kAnyArguments, kStart},
    {SCMP_SYS(statfs), kAnyArguments, kStart},
    {SCMP_SYS(fstatfs), kAnyArguments, kStart},
    {SCMP_SYS(sysinfo), kAnyArguments, kStart},
    {SCMP_SYS(uname), kAnyArguments, kStart},
    {SCMP_SYS(sched_getaffinity), kAnyArguments, kStart},
    {SCMP_SYS(sched_yield), kAnyArguments, kStart},

    {SCMP_SYS(connect), kAnyArguments, "libvirt's client and the gate until they are connected"},
    {SCMP_SYS(getsockname), kAnyArguments, kConnect},
    {SCMP_SYS(getsockopt), kAnyArguments, kConnect},
    {SCMP_SYS(recvfrom), kAnyArguments, kConnect},
    {SCMP_SYS(pipe2), kAnyArguments, kConnect},
    {SCMP_SYS(eventfd2), kAnyArguments, kConnect},
    {SCMP_SYS(getuid), kAnyArguments, kConnect},
    {SCMP_SYS(geteuid), kAnyArguments, kConnect},
    {SCMP_SYS(getgid), kAnyArguments, kConnect},
    {SCMP_SYS(getegid), kAnyArguments, kConnect},
    {SCMP_SYS(get_mempolicy), kAnyArguments, "libnuma, which libvirt loads"},
    {SCMP_SYS(set_mempolicy), kAnyArguments, "libnuma, likewise"},

    {SCMP_SYS(setsockopt), kAnyArguments, kMonitor},
};

}  // namespace

const std::span<const SyscallRule> kSupervisorProfile{kProfile};

}  // namespace whawty
