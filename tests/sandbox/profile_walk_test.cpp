// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Walks the tables of all four processes: what a row allows runs, and all else ends the process.
//
// Every call is made by a child of its own, which has loaded the real table. An alarm ends a child that a
// call does not return to. The arguments are such that the kernel refuses the call before it does anything,
// also if it is let through by mistake: bits that are all set are a bad pointer, a bad descriptor, bad flags,
// and an id that no call changes to.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "profiles.h"

namespace whawty {
namespace {

using Arguments = std::array<std::uint64_t, 6>;

constexpr std::uint64_t kAllBits = ~0ULL;
constexpr int kHighestNumber = 600;  // well above the last system call of any kernel so far

enum Fate { kLives, kDies, kUnclear };

constexpr int kNotSealed = 199;

Fate fate_of(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status) == kNotSealed ? kUnclear : kLives;
  if (WTERMSIG(status) == SIGSYS) return kDies;
  return WTERMSIG(status) == SIGALRM ? kUnclear : kLives;
}

// What becomes of a child that loads the table and then does this. One that another signal ends lives, as far
// as the table goes: rt_sigreturn(2), called by hand, finds no saved state on the stack.
Fate sealed(std::span<const SyscallRule> profile, const std::function<void()>& before,
            const std::function<void()>& after) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::alarm(5);
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
      ::_exit(kNotSealed);
    try {
      before();
      load_profile(profile);
    } catch (const std::exception&) {
      ::_exit(kNotSealed);
    }
    after();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return fate_of(status);
}

Fate call(std::span<const SyscallRule> profile, long number, const Arguments& a) {
  return sealed(
      profile, [] {}, [&] { ::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]); });
}

Arguments harmless(int number) {
  Arguments arguments;
  arguments.fill(kAllBits);
  if (number == SCMP_SYS(kill)) arguments[0] = 0x7fffffff;  // a process that cannot be; -1 would be everyone
  return arguments;
}

// Arguments with which the rule allows its call.
Arguments satisfying(const SyscallRule& rule) {
  Arguments arguments = harmless(rule.number);
  for (const scmp_arg_cmp& condition : conditions_of(rule)) {
    std::uint64_t& argument = arguments[condition.arg];
    argument =
        condition.op == SCMP_CMP_EQ ? condition.datum_a : (argument & ~condition.datum_a) | condition.datum_b;
  }
  return arguments;
}

bool holds(const scmp_arg_cmp& condition, std::uint64_t value) {
  if (condition.op == SCMP_CMP_EQ) return value == condition.datum_a;
  return condition.op == SCMP_CMP_MASKED_EQ && (value & condition.datum_a) == condition.datum_b;
}

bool allows(const SyscallRule& rule, const Arguments& arguments) {
  for (const scmp_arg_cmp& condition : conditions_of(rule))
    if (!holds(condition, arguments[condition.arg])) return false;
  return true;
}

bool allows(std::span<const SyscallRule> profile, int number, const Arguments& arguments) {
  return std::any_of(profile.begin(), profile.end(), [&](const SyscallRule& rule) {
    return rule.number == number && allows(rule, arguments);
  });
}

// Each of the bits that a condition looks at, and the upper half where it looks at that too.
std::vector<std::uint64_t> bits_of(const scmp_arg_cmp& condition) {
  const std::uint64_t seen = condition.op == SCMP_CMP_EQ ? kAllBits : condition.datum_a;
  std::vector<std::uint64_t> bits;
  for (unsigned bit = 0; bit < 64; ++bit)
    if ((seen >> bit & 1) != 0) bits.push_back(1ULL << bit);
  return bits;
}

std::set<std::string> names(std::span<const SyscallRule> profile) {
  std::set<std::string> names;
  for (const SyscallRule& rule : profile) names.insert(name_of(rule.number));
  return names;
}

class ProfileWalkTest : public testing::TestWithParam<Profile> {
 protected:
  const std::span<const SyscallRule> rules_ = GetParam().rules;

  bool has(int number) const {
    return std::any_of(rules_.begin(), rules_.end(),
                       [number](const SyscallRule& rule) { return rule.number == number; });
  }
};

TEST_P(ProfileWalkTest, EveryRowRuns) {
  for (const SyscallRule& rule : rules_) {
    if (rule.number < 0) continue;  // a call that this architecture does not have
    EXPECT_EQ(call(rules_, rule.number, satisfying(rule)), kLives) << name_of(rule.number);
  }
}

TEST_P(ProfileWalkTest, AnArgumentThatViolatesAConditionEndsTheProcess) {
  for (const SyscallRule& rule : rules_)
    for (const scmp_arg_cmp& condition : conditions_of(rule))
      for (const std::uint64_t bit : bits_of(condition)) {
        Arguments arguments = satisfying(rule);
        arguments[condition.arg] ^= bit;
        ASSERT_FALSE(allows(rule, arguments));
        const Fate expected = allows(rules_, rule.number, arguments) ? kLives : kDies;
        EXPECT_EQ(call(rules_, rule.number, arguments), expected)
            << name_of(rule.number) << ", argument " << condition.arg << ", bit " << std::hex << bit;
      }
}

TEST_P(ProfileWalkTest, EveryOtherCallEndsTheProcess) {
  for (int number = 0; number <= kHighestNumber; ++number) {
#ifdef __x86_64__
    // The kernel's own trampolines, uretprobe and uprobe: no filter sees them, and the kernel accepts them
    // from nowhere else.
    if (number == 335 || number == 336) continue;
#endif
    if (has(number)) continue;
    EXPECT_EQ(call(rules_, number, harmless(number)), kDies) << name_of(number);
  }
}

#ifdef __x86_64__
constexpr long kX32 = 0x40000000;

TEST_P(ProfileWalkTest, EveryCallByTheX32AbiEndsTheProcess) {
  for (int number = 0; number <= kHighestNumber; ++number)
    EXPECT_EQ(call(rules_, kX32 | number, harmless(number)), kDies) << name_of(number);
}

// getppid(2) of 32-bit programs.
void call_as_i386() {
  long result = 64;
  asm volatile("int $0x80" : "+a"(result) : : "memory");
}

TEST_P(ProfileWalkTest, AThreadThatMakesAnyOtherCallDoesNotDieAlone) {
  const auto unknown = [] { ::syscall(kHighestNumber); };
  const auto x32 = [] { ::syscall(kX32 | SYS_getppid); };
  for (const std::function<void()>& call : {std::function<void()>(unknown), {x32}, {call_as_i386}}) {
    std::latch go(1);
    const auto start_thread = [&] {
      std::thread([&] {
        go.wait();
        call();
        ::_exit(0);
      }).detach();
    };
    const auto sleep = [&] {
      go.count_down();
      ::poll(nullptr, 0, -1);
    };
    EXPECT_EQ(sealed(rules_, start_thread, sleep), kDies);
  }
}
#endif

TEST_P(ProfileWalkTest, EveryRowHasAReason) {
  for (const SyscallRule& rule : rules_)
    EXPECT_GT(std::string(rule.reason).size(), 4U) << name_of(rule.number);
}

INSTANTIATE_TEST_SUITE_P(Sandbox, ProfileWalkTest, testing::ValuesIn(profiles()),
                         [](const auto& test) { return std::string(test.param.process); });

// What follows is not taken from the tables: it is what no change of them may do.

TEST(ProfileBoundsTest, TheWorkersHaveFewCalls) {
  EXPECT_LE(names(profile_of("scanner")).size(), 30U);
  EXPECT_LE(names(profile_of("matcher")).size(), 18U);
  EXPECT_LE(names(profile_of("actuator")).size(), 25U);
}

// Old and new names of what would open, start, connect or change something. openat is not among them: only
// the matcher must not have it.
constexpr const char* kNever[] = {"execve",
                                  "execveat",
                                  "fork",
                                  "vfork",
                                  "clone",
                                  "clone3",
                                  "open",
                                  "openat2",
                                  "creat",
                                  "socket",
                                  "socketpair",
                                  "connect",
                                  "bind",
                                  "listen",
                                  "accept",
                                  "accept4",
                                  "ptrace",
                                  "process_vm_writev",
                                  "ioctl",
                                  "bpf",
                                  "perf_event_open",
                                  "io_uring_setup",
                                  "io_uring_enter",
                                  "io_uring_register",
                                  "kill",
                                  "tkill",
                                  "tgkill",
                                  "prctl",
                                  "seccomp",
                                  "setuid",
                                  "setresuid",
                                  "capset",
                                  "unshare",
                                  "setns",
                                  "mount",
                                  "umount2",
                                  "chroot",
                                  "unlink",
                                  "unlinkat",
                                  "rename",
                                  "renameat",
                                  "renameat2",
                                  "mkdir",
                                  "chmod",
                                  "fchmod",
                                  "chown",
                                  "truncate",
                                  "ftruncate",
                                  "dup",
                                  "dup2",
                                  "dup3",
                                  "memfd_create",
                                  "userfaultfd",
                                  "keyctl",
                                  "pkey_mprotect",
                                  "personality",
                                  "pidfd_getfd",
                                  "pidfd_open",
                                  "sendto",
                                  "sendmmsg"};

TEST(ProfileBoundsTest, NoWorkerCanOpenStartConnectOrTraceAnything) {
  for (const char* const worker : {"scanner", "matcher", "actuator"})
    for (const char* const name : kNever)
      EXPECT_FALSE(names(profile_of(worker)).contains(name)) << worker << ": " << name;
}

TEST(ProfileBoundsTest, TheMatcherCanOpenNothing) {
  EXPECT_FALSE(names(profile_of("matcher")).contains("openat"));
}

// The two that may open files: below Landlock's directories, and not to change them.
TEST(ProfileBoundsTest, WhoeverOpensFilesCanOnlyRead) {
  for (const char* const worker : {"scanner", "actuator"}) {
    const auto open = [&](int flags) {
      Arguments arguments = harmless(SCMP_SYS(openat));
      arguments[2] = static_cast<std::uint64_t>(flags);
      return call(profile_of(worker), SCMP_SYS(openat), arguments);
    };
    EXPECT_EQ(open(O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW), kLives) << worker;
    for (const int flag : {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_TMPFILE})
      EXPECT_EQ(open(O_CLOEXEC | flag), kDies) << worker << ' ' << flag;
  }
}

TEST(ProfileBoundsTest, NoWorkerCanHaveExecutableMemory) {
  for (const char* const worker : {"scanner", "matcher", "actuator"})
    for (const int number : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
      for (const int protection : {PROT_EXEC, PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC}) {
        Arguments arguments = harmless(number);
        arguments[2] = static_cast<std::uint64_t>(protection);
        EXPECT_EQ(call(profile_of(worker), number, arguments), kDies) << worker << ' ' << name_of(number);
      }
}

TEST(ProfileBoundsTest, TheSupervisorStartsProgramsByDescriptorOnly) {
  const std::set<std::string> has = names(profile_of("supervisor"));
  for (const char* const name :
       {"execve", "fork", "vfork", "ptrace", "bpf", "mount", "unshare", "setns", "init_module",
        "finit_module", "keyctl", "io_uring_setup", "perf_event_open"})
    EXPECT_FALSE(has.contains(name)) << name;
}

}  // namespace
}  // namespace whawty
