// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The limits of a sealed process: as the seal sets them, and as the workers have them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/sandbox.h"
#include "common/text.h"
#include "protocol/channel.h"
#include "tests/listening_socket.h"
#include "tests/process.h"

namespace whawty {
namespace {

using testing::ElementsAre;

// What it takes to look.
constexpr SyscallRule kLooking[] = {
    {SCMP_SYS(exit_group), kAnyArguments, "the end"},    {SCMP_SYS(prctl), kAnyArguments, "looking"},
    {SCMP_SYS(prlimit64), kAnyArguments, "looking"},     {SCMP_SYS(getrlimit), kAnyArguments, "looking"},
    {SCMP_SYS(write), kAnyArguments, "filling the log"},
};

// Runs the check in a child that is sealed like this: 0 if it holds.
int in_sealed_child(
    const Sandbox& sandbox, const std::function<bool()>& check, const std::function<void()>& before = [] {}) {
  return in_child([&] {
    before();
    seal(sandbox);
    return check() ? 0 : 1;
  });
}

// Soft and hard.
bool is_limited(__rlimit_resource resource, rlim_t value) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 && limit.rlim_cur == value && limit.rlim_max == value;
}

bool is_as_before(__rlimit_resource resource, const rlimit& before) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 && limit.rlim_cur == before.rlim_cur &&
         limit.rlim_max == before.rlim_max;
}

rlimit current(__rlimit_resource resource) {
  rlimit limit{};
  EXPECT_EQ(::getrlimit(resource, &limit), 0);
  return limit;
}

// An error stream that is no regular file, as under systemd, whatever the test's own is.
void log_to_a_pipe() {
  int ends[2];
  if (::pipe(ends) != 0 || ::dup2(ends[1], STDERR_FILENO) < 0) ::_exit(3);
}

TEST(LimitsTest, AWorkerStartsNothingGrowsNoFileAndLeavesNoDump) {
  const Sandbox sandbox{.profile = kLooking};
  const auto limited = [](__rlimit_resource resource) {
    return [resource] { return is_limited(resource, 0); };
  };
  for (const auto resource : {RLIMIT_NPROC, RLIMIT_FSIZE, RLIMIT_CORE})
    EXPECT_EQ(in_sealed_child(sandbox, limited(resource), log_to_a_pipe), 0) << resource;
  EXPECT_EQ(in_sealed_child(sandbox, [] { return ::prctl(PR_GET_DUMPABLE) == 0; }), 0);
}

TEST(LimitsTest, DescriptorsAndMemoryAreLimitedAsGiven) {
  const Sandbox sandbox{.profile = kLooking, .descriptors = 17, .memory = 64 << 20};
  EXPECT_EQ(in_sealed_child(
                sandbox, [] { return is_limited(RLIMIT_NOFILE, 17) && is_limited(RLIMIT_DATA, 64 << 20); }),
            0);
}

TEST(LimitsTest, NotGivenTheyStay) {
  const rlimit descriptors = current(RLIMIT_NOFILE);
  const rlimit memory = current(RLIMIT_DATA);
  EXPECT_EQ(
      in_sealed_child(
          {.profile = kLooking},
          [&] { return is_as_before(RLIMIT_NOFILE, descriptors) && is_as_before(RLIMIT_DATA, memory); }),
      0);
}

TEST(LimitsTest, WhoStartsProcessesKeepsTheirLimitsButLeavesNoDump) {
  const rlimit processes = current(RLIMIT_NPROC);
  const rlimit growth = current(RLIMIT_FSIZE);
  EXPECT_EQ(in_sealed_child(
                {.profile = kLooking, .may_start_processes = true},
                [&] {
                  return is_as_before(RLIMIT_NPROC, processes) && is_as_before(RLIMIT_FSIZE, growth) &&
                         is_limited(RLIMIT_CORE, 0) && ::prctl(PR_GET_DUMPABLE) == 0;
                },
                log_to_a_pipe),
            0);
}

class FileLimitTest : public testing::Test {
 protected:
  FileLimitTest() {
    std::string path = std::filesystem::temp_directory_path() / "limits_test_XXXXXX";
    file_ = Fd(::mkstemp(path.data()));
    ::unlink(path.c_str());
  }

  Fd file_;
};

TEST_F(FileLimitTest, AFileThatIsTheLogStillGrows) {
  EXPECT_EQ(in_sealed_child(
                {.profile = kLooking}, [] { return ::write(STDERR_FILENO, "line", 4) == 4; },
                [this] { ::dup2(file_.get(), STDERR_FILENO); }),
            0);
}

TEST_F(FileLimitTest, AnyOtherFileDoesNot) {
  EXPECT_EQ(
      in_sealed_child(
          {.profile = kLooking}, [this] { return ::write(file_.get(), "line", 4) == 4; }, log_to_a_pipe),
      -SIGXFSZ);
}

// The workers themselves, at work.
struct Worker {
  std::string name;
  std::string file;
  std::size_t channels;
  unsigned megabytes;
};

void PrintTo(const Worker& worker, std::ostream* out) {
  *out << worker.name;
}

class WorkerLimitsTest : public testing::TestWithParam<Worker> {};

// The two numbers of a line of /proc/PID/limits, soft and hard.
std::vector<std::string> limits(const Process& worker, const std::string& name) {
  std::istringstream line(rest_of_line(concat("/proc/", worker.pid(), "/limits"), name));
  std::vector<std::string> numbers(2);
  line >> numbers[0] >> numbers[1];
  return numbers;
}

TEST_P(WorkerLimitsTest, AreThose) {
  std::vector<std::pair<Fd, Fd>> channels(GetParam().channels);
  Process worker(GetParam().file);
  for (auto& channel : channels) {
    channel = Channel::pair();
    worker.descriptors.push_back(channel.second.get());
  }
  const ListeningSocket libvirtd;
  worker.start({"--connect", GetParam().name == "gate" ? libvirtd.uri() : "idle:"});
  ASSERT_TRUE(is_sealed(worker.pid()));
  const std::string memory = std::to_string(GetParam().megabytes << 20);
  EXPECT_THAT(limits(worker, "Max processes"), ElementsAre("0", "0"));
  EXPECT_THAT(limits(worker, "Max file size"), ElementsAre("0", "0"));
  EXPECT_THAT(limits(worker, "Max core file size"), ElementsAre("0", "0"));
  EXPECT_THAT(limits(worker, "Max open files"), ElementsAre("64", "64"));
  EXPECT_THAT(limits(worker, "Max data size"), ElementsAre(memory, memory));
}

INSTANTIATE_TEST_SUITE_P(Sandbox, WorkerLimitsTest,
                         testing::Values(Worker{"scanner", SCANNER_PROGRAM, 1, 192},
                                         Worker{"matcher", MATCHER_PROGRAM, 3, 256},
                                         Worker{"actuator", ACTUATOR_PROGRAM, 2, 256},
                                         Worker{"gate", GATE_PROGRAM, 2, 64}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace whawty
