// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/sandbox.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <latch>
#include <string>
#include <thread>

#include "tests/process.h"
#include "tests/sandbox/i386.h"
#include "tests/sandbox/refusals.h"

namespace whawty {
namespace {

using testing::StartsWith;

constexpr SyscallRule kProfile[] = {
    {SCMP_SYS(exit_group), kAnyArguments, "the end"},
    {SCMP_SYS(write), when(equals_int(0, 2), equals(2, 0)), "nothing, to stderr"},
    {SCMP_SYS(mmap), when(deny_bits(2, PROT_EXEC | PROT_WRITE)), "memory to look at"},
    {SCMP_SYS(fcntl), when(equals_int(1, F_GETFD)), "one of two rules"},
    {SCMP_SYS(fcntl), when(equals_int(1, F_GETFL)), "the other"},
    {SCMP_SYS(getpriority), when(equals(0, 7)), "a whole argument"},
    {SCMP_SYS(futex), kAnyArguments, "threads"},
};

int sealed(const std::function<void()>& work) {
  return in_child([&] {
    seal({.profile = kProfile});
    work();
    return 0;
  });
}

void call(long number, long a = 0, long b = 0, long c = 0) {
  ::syscall(number, a, b, c, 0, 0, 0);
}

TEST(SandboxTest, WhatTheProfileAllowsRuns) {
  EXPECT_EQ(sealed([] {}), 0);
  EXPECT_EQ(sealed([] { ::_exit(7); }), 7);
  EXPECT_EQ(sealed([] { call(SYS_write, 2); }), 0);
}

TEST(SandboxTest, AnythingElseDies) {
  for (const int number : {SYS_read, SYS_openat, SYS_getpid, SYS_socket, SYS_execve, SYS_execveat, SYS_ptrace,
                           SYS_prctl, SYS_clone, SYS_kill, SYS_rt_sigaction, SYS_exit, SYS_seccomp, 1000})
    EXPECT_EQ(sealed([number] { call(number); }), -SIGSYS) << number;
}

#ifdef __x86_64__
TEST(SandboxTest, TheOtherAbisDie) {
  constexpr long kX32 = 0x40000000;
  EXPECT_EQ(sealed([] { call(kX32 | SYS_write, 2); }), -SIGSYS);
  constexpr long kWrite = 4;
  EXPECT_EQ(sealed([] { call_as_i386(kWrite, 2); }), kernel_has_i386() ? -SIGSYS : -SIGSEGV);
}
#endif

TEST(SandboxTest, AnIntArgumentIsComparedWithoutItsUpperHalf) {
  constexpr long kUpper = 0x7fffffff00000000;
  EXPECT_EQ(sealed([] { call(SYS_write, kUpper | 2); }), 0);
  EXPECT_EQ(sealed([] { call(SYS_write, 1); }), -SIGSYS);
  EXPECT_EQ(sealed([] { call(SYS_write, kUpper | 1); }), -SIGSYS);
}

TEST(SandboxTest, AWholeArgumentIsComparedWithIt) {
  EXPECT_EQ(sealed([] { call(SYS_getpriority, 7); }), 0);
  EXPECT_EQ(sealed([] { call(SYS_getpriority, 0x100000007); }), -SIGSYS);
  EXPECT_EQ(sealed([] { call(SYS_getpriority, 6); }), -SIGSYS);
}

TEST(SandboxTest, BothConditionsMustHold) {
  EXPECT_EQ(sealed([] { call(SYS_write, 2, 0, 1); }), -SIGSYS);
  EXPECT_EQ(sealed([] { call(SYS_write, 1, 0, 0); }), -SIGSYS);
}

TEST(SandboxTest, OfTwoRulesOneMustHold) {
  EXPECT_EQ(sealed([] { call(SYS_fcntl, 0, F_GETFD); }), 0);
  EXPECT_EQ(sealed([] { call(SYS_fcntl, 0, F_GETFL); }), 0);
  EXPECT_EQ(sealed([] { call(SYS_fcntl, 0, F_DUPFD); }), -SIGSYS);
}

TEST(SandboxTest, EachDeniedBitDies) {
  EXPECT_EQ(sealed([] { call(SYS_mmap, 0, 4096, PROT_READ); }), 0);
  EXPECT_EQ(sealed([] { call(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC); }), -SIGSYS);
  EXPECT_EQ(sealed([] { call(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE); }), -SIGSYS);
  EXPECT_EQ(sealed([] { call(SYS_mmap, 0, 4096, PROT_EXEC | PROT_WRITE); }), -SIGSYS);
}

TEST(SandboxTest, ThreadsThatRunAlreadyAreSealedToo) {
  EXPECT_EQ(in_child([]() -> int {
              std::latch go(1);
              std::latch running(1);
              std::thread([&] {
                running.count_down();
                go.wait();
                call(SYS_getppid);
                ::_exit(1);
              }).detach();
              running.wait();
              seal({.profile = kProfile});
              go.count_down();
              // Nothing but the thread's death may end the process, so this thread keeps to the profile.
              std::uint32_t never = 0;
              while (true) ::syscall(SYS_futex, &never, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
            }),
            -SIGSYS);
}

// A profile that leaves enough to look at what else the seal did.
constexpr SyscallRule kLooking[] = {
    {SCMP_SYS(exit_group), kAnyArguments, "the end"}, {SCMP_SYS(prctl), kAnyArguments, "looking"},
    {SCMP_SYS(prlimit64), kAnyArguments, "looking"},  {SCMP_SYS(capget), kAnyArguments, "looking"},
    {SCMP_SYS(getrlimit), kAnyArguments, "looking"},
};

TEST(SandboxTest, ItDropsPrivilegesCoreDumpsAndTracing) {
  EXPECT_EQ(in_child([] {
              seal({.profile = kLooking});
              rlimit core{1, 1};
              if (::getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0) return 1;
              if (::prctl(PR_GET_DUMPABLE) != 0) return 2;
              if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 3;
              if (::prctl(PR_GET_SECCOMP) != 2) return 4;
              for (int capability = 0; capability <= 40; ++capability)
                if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) > 0) return 5;
              return 0;
            }),
            0);
}

// As /proc shows it from outside.
TEST(SandboxTest, TheKernelShowsTheSeal) {
  constexpr SyscallRule kWaiting[] = {{SCMP_SYS(read), kAnyArguments, "waiting"}};
  const pid_t pid = start_child([&] {
    int never[2];
    if (::pipe(never) != 0) return 1;
    seal({.profile = kWaiting});
    char byte = 0;
    return static_cast<int>(::read(never[0], &byte, 1));
  });
  EXPECT_TRUE(is_sealed(pid));
  for (const char* const set : {"CapPrm", "CapEff", "CapInh"})
    EXPECT_EQ(status_of(pid, set), "0000000000000000") << set;
  EXPECT_EQ(status_of(pid, "NoNewPrivs"), "1");
  EXPECT_EQ(status_of(pid, "Seccomp"), "2");
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

// The message of the Unsealed that the seal ends in, where the kernel refuses this.
std::string message_of(const std::vector<Refusal>& refusals) {
  int text[2];
  EXPECT_EQ(::pipe(text), 0);
  EXPECT_EQ(in_child([&] {
              refuse(refusals);
              try {
                seal({.profile = kProfile});
              } catch (const Unsealed& error) {
                const std::string message = error.what();
                return ::write(text[1], message.data(), message.size()) < 0 ? 3 : 0;
              }
              return 4;
            }),
            0);
  ::close(text[1]);
  char message[256];
  const ssize_t length = ::read(text[0], message, sizeof message);
  ::close(text[0]);
  return {message, static_cast<std::size_t>(length)};
}

TEST(SandboxTest, AStepThatFailsIsNamed) {
  EXPECT_EQ(message_of({{SCMP_SYS(capset)}}), "sandbox: capset: Operation not permitted");
  EXPECT_EQ(message_of({{SCMP_SYS(prlimit64)}, {SCMP_SYS(setrlimit)}}),
            "sandbox: no core dumps: Operation not permitted");
  EXPECT_THAT(message_of({{SCMP_SYS(seccomp)}}), StartsWith("sandbox: "));
}

TEST(SandboxTest, AProfileThatMakesNoSenseIsNamedByItsReason) {
  const SyscallRule nonsense[] = {{SCMP_SYS(write), when(equals(9, 0)), "the log"}};
  EXPECT_EQ(in_child([&] {
              try {
                seal({.profile = nonsense});
              } catch (const Unsealed& error) {
                return std::string(error.what()).starts_with("sandbox: seccomp: the log: ") ? 5 : 6;
              }
              return 0;
            }),
            5);
}

}  // namespace
}  // namespace whawty
