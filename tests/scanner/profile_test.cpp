// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the sealed scanner may do, and what kills it.
#include "scanner/profile.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <ostream>
#include <string>

#include "common/descriptors.h"
#include "common/sandbox.h"
#include "tests/process.h"

namespace whawty {
namespace {

// How a sealed child ends that does this.
int sealed(void (*action)()) {
  return in_child([&] {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) return 126;
    ::dup2(ends[0], 20);
    ::dup2(ends[1], kScannerToMatcher);
    ::dup2(20, kScannerToMatcher + 1);
    seal({.profile = kScannerProfile});
    action();
    return 0;
  });
}

struct Action {
  const char* name;
  void (*run)();
};

void PrintTo(const Action& action, std::ostream* out) {
  *out << action.name;
}

void send_to(int fd) {
  iovec part{const_cast<char*>("x"), 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

void raw_open(int flags) {
  ::syscall(SYS_openat, AT_FDCWD, "/dev/null", flags, 0600);
}

class AllowedTest : public testing::TestWithParam<Action> {};
TEST_P(AllowedTest, Lives) {
  EXPECT_EQ(sealed(GetParam().run), 0);
}

const Action kAllowed[] = {
    Action{"Nothing", [] {}},
    Action{"OpenToRead", [] { raw_open(O_RDONLY | O_CLOEXEC | O_NOFOLLOW); }},
    Action{"OpenADirectory", [] { raw_open(O_RDONLY | O_DIRECTORY | O_PATH); }},
    Action{"SendToTheMatcher", [] { send_to(kScannerToMatcher); }},
    Action{"Log", [] { [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, "", 0); }},
    Action{"MapMemory",
           [] { ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
};
INSTANTIATE_TEST_SUITE_P(Profile, AllowedTest, testing::ValuesIn(kAllowed),
                         [](const auto& test) { return test.param.name; });

class ForbiddenTest : public testing::TestWithParam<Action> {};
TEST_P(ForbiddenTest, Dies) {
  EXPECT_EQ(sealed(GetParam().run), -SIGSYS);
}

const Action kForbidden[] = {
    Action{"OpenToWrite", [] { raw_open(O_WRONLY); }},
    Action{"OpenToReadAndWrite", [] { raw_open(O_RDWR); }},
    Action{"Create", [] { raw_open(O_CREAT); }},
    Action{"Truncate", [] { raw_open(O_TRUNC); }},
    Action{"Append", [] { raw_open(O_APPEND); }},
    Action{"TemporaryFile", [] { raw_open(O_TMPFILE & ~O_DIRECTORY); }},
#ifdef SYS_open
    Action{"OldOpenToWrite", [] { ::syscall(SYS_open, "/dev/null", O_WRONLY); }},
#endif
    Action{"OpenAsNewKernelsDo", [] { ::syscall(SYS_openat2, AT_FDCWD, "/dev/null", nullptr, 0); }},
    Action{"SendElsewhere", [] { send_to(kScannerToMatcher + 1); }},
    Action{"SendAsDatagram", [] { ::send(kScannerToMatcher, "x", 1, 0); }},
    Action{"WriteToStandardOutput", [] { [[maybe_unused]] const ssize_t n = ::write(STDOUT_FILENO, "", 0); }},
    Action{"WriteToTheChannel",
           [] { [[maybe_unused]] const ssize_t n = ::write(kScannerToMatcher, "x", 1); }},
    Action{"ExecutableMemory", [] { ::mmap(nullptr, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
    Action{"MakeExecutable", [] { ::mprotect(nullptr, 4096, PROT_EXEC); }},
    Action{"Socket", [] { ::socket(AF_UNIX, SOCK_STREAM, 0); }},
    Action{"Connect", [] { ::connect(kScannerToMatcher, nullptr, 0); }},
    Action{"Duplicate", [] { ::dup2(kScannerToMatcher, 2); }},
    Action{"DuplicateByFcntl", [] { ::fcntl(kScannerToMatcher, F_DUPFD, 2); }},
    Action{"ChangeFlags", [] { ::fcntl(kScannerToMatcher, F_SETFL, 0); }},
    Action{"Fork", [] { ::fork(); }},
    Action{"Execute", [] { ::syscall(SYS_execve, "/bin/true", nullptr, nullptr); }},
    Action{"Kill", [] { ::kill(1, 0); }},
    Action{"Prctl", [] { ::prctl(PR_SET_NAME, "x"); }},
    Action{"Trace", [] { ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
    Action{"Control", [] { ::syscall(SYS_ioctl, 0, 0, 0); }},
    Action{"Remove", [] { ::unlink("/nowhere"); }},
    Action{"MakeDirectory", [] { ::mkdir("/nowhere", 0700); }},
    Action{"ChangeMode", [] { ::chmod("/nowhere", 0); }},
};
INSTANTIATE_TEST_SUITE_P(Profile, ForbiddenTest, testing::ValuesIn(kForbidden),
                         [](const auto& test) { return test.param.name; });

TEST(ProfileTest, HasAReasonForEachRow) {
  for (const SyscallRule& rule : kScannerProfile) EXPECT_GT(std::strlen(rule.reason), 4U) << rule.number;
}

}  // namespace
}  // namespace whawty
