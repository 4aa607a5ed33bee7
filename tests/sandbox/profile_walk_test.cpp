// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Walks the tables of all five processes: what a row allows runs, and all else ends the process.
//
// Every call is made by a child of its own, which has loaded the real table. An alarm ends a child that a
// call does not return to. The arguments are such that the kernel refuses the call before it does anything,
// also if it is let through by mistake: bits that are all set are a bad pointer, a bad descriptor, bad flags,
// and an id that no call changes to.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <latch>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/syscall_names.h"
#include "profiles.h"
#include "tests/process.h"
#include "tests/sandbox/i386.h"

namespace whawty {
namespace {

using Arguments = std::array<std::uint64_t, 6>;

constexpr std::uint64_t kAllBits = ~0ULL;
constexpr int kHighestNumber = 600;  // well above the last system call of any kernel so far

enum Fate { kLives, kDies, kUnclear };

// What becomes of a child that loads the table and then does this. One that another signal ends lives, as far
// as the table goes: rt_sigreturn(2), called by hand, finds no saved state on the stack.
Fate sealed(std::span<const SyscallRule> profile, const std::function<void()>& before,
            const std::function<void()>& after) {
  const int end = in_child([&] {
    ::alarm(5);
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
      return kThrew;
    before();
    load_profile(profile);
    after();
    return 0;
  });
  if (end == -SIGSYS) return kDies;
  return end == kThrew || end == -SIGALRM ? kUnclear : kLives;
}

Fate call(std::span<const SyscallRule> profile, long number, const Arguments& a) {
  const auto before = [] {};
  const auto make = [&] { ::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]); };
  return sealed(profile, before, make);
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

bool is_newer(int number) {
  return number > kLastKnownCall && number <= kLastAnsweredCall;
}

std::set<std::string> names(std::span<const SyscallRule> profile) {
  std::set<std::string> names;
  for (const SyscallRule& rule : by_every_name(profile)) names.insert(name_of(rule.number));
  return names;
}

bool names_itself(std::span<const SyscallRule> profile, int number) {
  return std::any_of(profile.begin(), profile.end(),
                     [number](const SyscallRule& rule) { return rule.number == number; });
}

class ProfileWalkTest : public testing::TestWithParam<Profile> {
 protected:
  const std::vector<SyscallRule> rules_ = by_every_name(GetParam().rules);

  bool has(int number) const { return names_itself(rules_, number); }
};

TEST_P(ProfileWalkTest, EveryRowRuns) {
  for (const SyscallRule& rule : rules_)
    EXPECT_EQ(call(rules_, rule.number, satisfying(rule)), kLives) << name_of(rule.number);
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
    if (is_newer(number)) continue;
#ifdef __x86_64__
    // The kernel's own trampolines, uretprobe and uprobe: no filter sees them, and the kernel accepts them
    // from nowhere else.
    if (number == 335 || number == 336) continue;
#endif
    if (has(number)) continue;
    EXPECT_EQ(call(rules_, number, harmless(number)), kDies) << name_of(number);
  }
}

TEST_P(ProfileWalkTest, ACallThatIsNewerThanTheTablesIsAnsweredAndNotMade) {
  for (int number = kLastKnownCall + 1; number <= kLastAnsweredCall; ++number)
    EXPECT_EQ(sealed(
                  rules_, [] {},
                  [number] {
                    errno = 0;
                    // A flag that mseal(2) refuses with EINVAL.
                    const bool answered = ::syscall(number, 0, 0, kAllBits, 0, 0, 0) == -1 && errno == ENOSYS;
                    if (!answered) ::_exit(kThrew);
                  }),
              kLives)
        << number;
}

#ifdef __x86_64__
constexpr long kX32 = 0x40000000;

TEST_P(ProfileWalkTest, EveryCallByTheX32AbiEndsTheProcess) {
  for (int number = 0; number <= kHighestNumber; ++number)
    EXPECT_EQ(call(rules_, kX32 | number, harmless(number)), kDies) << name_of(number);
}

TEST_P(ProfileWalkTest, AThreadThatMakesAnyOtherCallDoesNotDieAlone) {
  const auto unknown = [] { ::syscall(kHighestNumber); };
  const auto x32 = [] { ::syscall(kX32 | SYS_getppid); };
  std::vector<std::function<void()>> calls{unknown, x32};
  constexpr long kGetppid = 64;
  if (kernel_has_i386()) calls.emplace_back([] { call_as_i386(kGetppid); });
  for (const std::function<void()>& call : calls) {
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

TEST(NewerNamesTest, ATableNamesACallOnce) {
  for (const Profile& profile : profiles())
    for (const SyscallRule& rule : profile.rules)
      for (const NewerName& name : kNewerNames)
        EXPECT_FALSE(name.newer == rule.number && names_itself(profile.rules, name.call))
            << profile.process << ": " << name_of(name.call) << " stands for " << name_of(name.newer);
}

TEST(NewerNamesTest, TheLastKnownCallIsWhatLinux61Calls) {
  EXPECT_EQ(name_of(kLastKnownCall), "set_mempolicy_home_node");
}

// What follows is not taken from the tables: it is what no change of them may do.

TEST(ProfileBoundsTest, TheWorkersHaveFewCalls) {
  EXPECT_LE(names(profile_of("scanner")).size(), 31U);
  EXPECT_LE(names(profile_of("matcher")).size(), 19U);
  EXPECT_LE(names(profile_of("actuator")).size(), 25U);
  EXPECT_LE(names(profile_of("gate")).size(), 15U);
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
  for (const char* const worker : {"scanner", "matcher", "actuator", "gate"})
    for (const std::string name : kNever) {
      if (worker == std::string("gate") && name == "accept4") continue;
      EXPECT_FALSE(names(profile_of(worker)).contains(name)) << worker << ": " << name;
    }
}

// It is given the socket at which the actuator connects.
TEST(ProfileBoundsTest, TheGateAcceptsAtOneSocketOnlyAndSendsNoDescriptors) {
  for (std::uint64_t descriptor = 0; descriptor < 64; ++descriptor) {
    Arguments arguments = harmless(SCMP_SYS(accept4));
    arguments[0] = descriptor;
    EXPECT_EQ(call(profile_of("gate"), SCMP_SYS(accept4), arguments), descriptor == 4 ? kLives : kDies);
  }
  for (const char* const name : {"sendmsg", "recvmsg", "sendto", "recvfrom", "connect", "socket"})
    EXPECT_FALSE(names(profile_of("gate")).contains(name)) << name;
}

TEST(ProfileBoundsTest, TheMatcherCanOpenNothing) {
  EXPECT_FALSE(names(profile_of("matcher")).contains("openat"));
}

// The three that may open files: below Landlock's directories, and not to change them.
TEST(ProfileBoundsTest, WhoeverOpensFilesCanOnlyRead) {
  for (const char* const worker : {"scanner", "actuator", "gate"}) {
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
  for (const char* const worker : {"scanner", "matcher", "actuator", "gate"})
    for (const int number : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
      for (const int protection : {PROT_EXEC, PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC}) {
        Arguments arguments = harmless(number);
        arguments[2] = static_cast<std::uint64_t>(protection);
        EXPECT_EQ(call(profile_of(worker), number, arguments), kDies) << worker << ' ' << name_of(number);
      }
}

Fate call_with(const std::string& process, int number, unsigned argument, std::uint64_t value) {
  Arguments arguments = harmless(number);
  if (number == SCMP_SYS(mmap)) arguments[2] = PROT_READ;
  arguments[argument] = value;
  return call(profile_of(process), number, arguments);
}

TEST(ProfileBoundsTest, NoWorkerMapsAFile) {
  for (const char* const worker : {"scanner", "matcher", "actuator", "gate"}) {
    EXPECT_EQ(call_with(worker, SCMP_SYS(mmap), 3, MAP_PRIVATE | MAP_ANONYMOUS), kLives) << worker;
    // Where the vDSO of Linux 6.11 keeps random numbers, which may be dropped: MAP_DROPPABLE.
    EXPECT_EQ(call_with(worker, SCMP_SYS(mmap), 3, 0x08 | MAP_ANONYMOUS), kLives) << worker;
    for (const int flags : {MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE})
      EXPECT_EQ(call_with(worker, SCMP_SYS(mmap), 3, static_cast<std::uint64_t>(flags)), kDies) << worker;
  }
}

// prctl(2) is many calls in one.
TEST(ProfileBoundsTest, OnlyTheMatcherHasPrctlAndOnlyToNameItsMemory) {
  for (const char* const worker : {"scanner", "actuator", "gate"})
    EXPECT_FALSE(names(profile_of(worker)).contains("prctl")) << worker;
  for (std::uint64_t option = 0; option <= 100; ++option)
    EXPECT_EQ(call_with("matcher", SCMP_SYS(prctl), 0, option), kDies) << option;
  EXPECT_EQ(sealed(
                profile_of("matcher"), [] {}, [] { ::prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, 0, 0, 0); }),
            kLives);
}

TEST(ProfileBoundsTest, WorkersSendAndReceiveByTheirOwnDescriptorsOnly) {
  struct May {
    const char* worker;
    std::set<std::uint64_t> send, receive;
  };
  for (const May& may :
       {May{"scanner", {3}, {3, 5}}, {"matcher", {3, 4, 5}, {3, 4, 5}}, {"actuator", {3}, {3}}})
    for (std::uint64_t descriptor = 0; descriptor < 64; ++descriptor) {
      SCOPED_TRACE(may.worker + std::to_string(descriptor));
      EXPECT_EQ(call_with(may.worker, SCMP_SYS(sendmsg), 0, descriptor),
                may.send.contains(descriptor) ? kLives : kDies);
      EXPECT_EQ(call_with(may.worker, SCMP_SYS(recvmsg), 0, descriptor),
                may.receive.contains(descriptor) ? kLives : kDies);
    }
  EXPECT_EQ(call_with("scanner", SCMP_SYS(recvfrom), 0, 3), kDies);
}

TEST(ProfileBoundsTest, ScannerAndMatcherWriteToTheLogOnly) {
  const std::set<std::uint64_t> of_matcher{2, 15};  // 15: the journal, for records
  for (std::uint64_t descriptor = 0; descriptor < 64; ++descriptor) {
    EXPECT_EQ(call_with("scanner", SCMP_SYS(write), 0, descriptor), descriptor == 2 ? kLives : kDies)
        << descriptor;
    EXPECT_EQ(call_with("matcher", SCMP_SYS(write), 0, descriptor),
              of_matcher.contains(descriptor) ? kLives : kDies)
        << descriptor;
  }
}

// The log may be a file. Whoever could go back in it could change what it says.
TEST(ProfileBoundsTest, NoWorkerSeeksInTheLog) {
  for (std::uint64_t descriptor = 0; descriptor < 64; ++descriptor)
    EXPECT_EQ(call_with("scanner", SCMP_SYS(lseek), 0, descriptor), descriptor < 4 ? kDies : kLives);
  for (const char* const worker : {"matcher", "actuator", "gate"})
    EXPECT_FALSE(names(profile_of(worker)).contains("lseek")) << worker;
}

constexpr int kNoLock[] = {FUTEX_FD,       FUTEX_REQUEUE,         FUTEX_CMP_REQUEUE,   FUTEX_WAKE_OP,
                           FUTEX_LOCK_PI,  FUTEX_UNLOCK_PI,       FUTEX_TRYLOCK_PI,    FUTEX_WAKE_BITSET,
                           FUTEX_LOCK_PI2, FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI};

TEST(ProfileBoundsTest, WorkersWaitAndWakeAndAskNothingElseOfFutexes) {
  for (const char* const worker : {"scanner", "matcher", "actuator", "gate"})
    for (const int operation : kNoLock)
      for (const int flags : {0, FUTEX_PRIVATE_FLAG, FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME})
        EXPECT_EQ(call_with(worker, SCMP_SYS(futex), 1, static_cast<std::uint64_t>(operation | flags)), kDies)
            << worker << ' ' << operation << ' ' << flags;
}

// Two threads that wait for each other as those of the workers do, until a moment and without an end.
class Waiting {
 public:
  // Starts the first thread, which never ends: exit(2) is not in the tables, nor is what a thread starts
  // with.
  void start() {
    std::thread([this] { answer(); }).detach();
    started_.wait();
  }

  // The part of the second one.
  void ask() {
    using namespace std::chrono_literals;
    auto future = promise_.get_future();
    future.wait_for(1ms);
    future.wait_until(std::chrono::system_clock::now() + 1ms);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 1ms);
    changed_.wait_until(lock, std::chrono::system_clock::now() + 1ms);
    asked_ = true;
    lock.unlock();
    changed_.notify_one();
    future.wait();
  }

 private:
  void answer() {
    started_.count_down();
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return asked_; });
      asked_ = false;
      lock.unlock();
      promise_.set_value();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
  std::promise<void> promise_;
  std::latch started_{1};
};

TEST(ProfileBoundsTest, ThreadsOfWorkersCanWaitForEachOther) {
  for (const char* const worker : {"scanner", "actuator"}) {
    Waiting waiting;
    const auto start = [&] { waiting.start(); };
    const auto ask = [&] { waiting.ask(); };
    EXPECT_EQ(sealed(profile_of(worker), start, ask), kLives) << worker;
  }
}

TEST(ProfileBoundsTest, TheSupervisorStartsProgramsByDescriptorOnly) {
  const std::set<std::string> has = names(profile_of("supervisor"));
  for (const char* const name : {"execve", "fork", "vfork", "ptrace", "bpf", "mount", "setns", "init_module",
                                 "finit_module", "keyctl", "io_uring_setup", "perf_event_open"})
    EXPECT_FALSE(has.contains(name)) << name;
}

TEST(ProfileBoundsTest, NothingStartsANamespace) {
  const auto unshare = [](std::uint64_t flags) {
    Arguments arguments = harmless(SCMP_SYS(unshare));
    arguments[0] = flags;
    return call(profile_of("supervisor"), SCMP_SYS(unshare), arguments);
  };
  EXPECT_EQ(unshare(CLONE_FILES), kLives);
  for (const std::uint64_t flag : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_FS})
    for (const std::uint64_t beside : {0, CLONE_FILES})
      EXPECT_EQ(unshare(flag | beside), kDies) << flag << ' ' << beside;
}

}  // namespace
}  // namespace whawty
