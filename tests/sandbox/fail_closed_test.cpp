// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Each step of the seal is made to fail, in each of the five programs: it ends there, says which step it was,
// and has not read a byte from a peer. And a kernel without Landlock.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/exit_code.h"
#include "common/identity.h"
#include "protocol/channel.h"
#include "refusals.h"
#include "tests/listening_socket.h"
#include "tests/process.h"
#include "tests/temporary_folder.h"

namespace whawty {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A step of the seal that the kernel refuses, what the log says of it, and what programs have it.
struct Step {
  const char* says;
  std::vector<Refusal> refusals;
  std::vector<std::string> programs = {"scanner", "matcher", "actuator", "gate"};
};

const std::vector<std::string> kAll = {"supervisor", "scanner", "matcher", "actuator", "gate"};

const std::vector<Refusal> kNoLandlock = {{SCMP_SYS(landlock_create_ruleset), {}, ENOSYS}};

// The new limit is not null: reading a limit, as a program does at its start, is not refused.
std::vector<Refusal> setting_limit(int resource) {
  const auto number = static_cast<std::uint64_t>(resource);
  return {{SCMP_SYS(prlimit64), {is(1, number), is_not(2, 0)}}, {SCMP_SYS(setrlimit), {is(0, number)}}};
}

std::vector<Step> steps() {
  // The version of Landlock is asked for with no attributes and a flag.
  const Refusal no_ruleset{SCMP_SYS(landlock_create_ruleset), {is_not(0, 0)}};
  return {
      {"capget", {{SCMP_SYS(capget)}}},
      {"clearing the ambient capabilities", {{SCMP_SYS(prctl), {is(0, PR_CAP_AMBIENT)}}}, kAll},
      {"capset", {{SCMP_SYS(capset)}}, kAll},
      {"no_new_privs", {{SCMP_SYS(prctl), {is(0, PR_SET_NO_NEW_PRIVS)}}}, kAll},
      {"no core dumps", setting_limit(RLIMIT_CORE), kAll},
      {"not dumpable", {{SCMP_SYS(prctl), {is(0, PR_SET_DUMPABLE)}}}, kAll},
      {"limit of descriptors", setting_limit(RLIMIT_NOFILE)},
      {"limit of memory", setting_limit(RLIMIT_DATA)},
      {"no new processes", setting_limit(RLIMIT_NPROC)},
      {"no file growth", setting_limit(RLIMIT_FSIZE)},
      {"Landlock: this kernel does not have it", kNoLandlock},
      {"Landlock: creating a ruleset", {no_ruleset}},
      {"Landlock: /sys", {{SCMP_SYS(landlock_add_rule)}}, {"scanner", "actuator", "gate"}},
      {"Landlock: restricting this thread", {{SCMP_SYS(landlock_restrict_self)}}},
      {"seccomp: this kernel does not offer it", {{SCMP_SYS(seccomp)}}, kAll},
      {"seccomp: loading the filter: Bad address",
       {{SCMP_SYS(seccomp), {is(0, SECCOMP_SET_MODE_FILTER), is_not(2, 0)}}},
       kAll},
  };
}

bool has(const Step& step, const std::string& program) {
  return std::find(step.programs.begin(), step.programs.end(), program) != step.programs.end();
}

// A channel of a worker, with a message in it before the worker starts. It is one that no worker accepts.
class Peer {
 public:
  Peer() {
    auto [ours, theirs] = Channel::pair();
    ours_ = std::move(ours);
    theirs_ = std::move(theirs);
    if (::send(ours_.get(), kMessage, sizeof kMessage, 0) != sizeof kMessage) std::abort();
  }

  int end() const { return theirs_.get(); }

  // Whether the worker has left the message where it was. Its end is also ours, so that it outlives the
  // worker.
  bool message_is_unread() const {
    char bytes[sizeof kMessage + 1];
    return ::recv(theirs_.get(), bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT) == sizeof kMessage;
  }

 private:
  static constexpr char kMessage[24] = "nothing that is valid";

  Fd ours_, theirs_;
};

// Without the time.
std::string last(const std::vector<std::string>& lines) {
  return lines.empty() ? "" : lines.back().substr(sizeof "00:00:00 " - 1);
}

struct Worker {
  std::string name;
  std::string file;
  std::size_t channels;
};

void PrintTo(const Worker& worker, std::ostream* out) {
  *out << worker.name;
}

class WorkerFailsClosedTest : public testing::TestWithParam<Worker> {
 protected:
  struct End {
    int code;
    std::vector<std::string> lines;
    int messages_read;
  };

  // How it ends when the kernel refuses this, with a message waiting in each of its channels.
  static End run(const std::vector<Refusal>& refusals, std::vector<std::string> arguments = {}) {
    const std::vector<Peer> peers(GetParam().channels);
    Process worker(GetParam().file);
    for (const Peer& peer : peers) worker.descriptors.push_back(peer.end());
    worker.before_exec = [&] { refuse(refusals); };
    const ListeningSocket libvirtd;
    arguments.insert(arguments.end(), {"--connect", GetParam().name == "gate" ? libvirtd.uri() : "idle:"});
    worker.start(arguments);
    End end{worker.wait(), worker.lines(), 0};
    for (const Peer& peer : peers) end.messages_read += peer.message_is_unread() ? 0 : 1;
    return end;
  }
};

TEST_P(WorkerFailsClosedTest, AtEachStepOfTheSealBeforeItReadsAByte) {
  for (const Step& step : steps()) {
    if (!has(step, GetParam().name)) continue;
    SCOPED_TRACE(step.says);
    const End end = run(step.refusals);
    EXPECT_EQ(end.code, kExitUnsealed);
    EXPECT_THAT(last(end.lines), StartsWith(GetParam().name + ": sandbox: " + step.says));
    EXPECT_EQ(std::count_if(end.lines.begin(), end.lines.end(),
                            [](const std::string& line) { return line.find("sandbox") != line.npos; }),
              1);
    EXPECT_EQ(end.messages_read, 0);
  }
}

// What the test above relies on: a worker that can be sealed reads a message, and ends because of it.
TEST_P(WorkerFailsClosedTest, ButNotIfEachStepIsDone) {
  const End end = run({});
  EXPECT_EQ(end.code, kExitFailure);
  EXPECT_THAT(end.lines, Not(Contains(HasSubstr("sandbox"))));
  EXPECT_GT(end.messages_read, 0);
}

TEST_P(WorkerFailsClosedTest, WithoutLandlockItRunsIfItIsTold) {
  const End end = run(kNoLandlock, {"--without-landlock"});
  EXPECT_EQ(end.code, kExitFailure);
  EXPECT_THAT(end.lines, Not(Contains(HasSubstr("Landlock"))));
  EXPECT_GT(end.messages_read, 0);
}

INSTANTIATE_TEST_SUITE_P(Sandbox, WorkerFailsClosedTest,
                         testing::Values(Worker{"scanner", SCANNER_PROGRAM, 1},
                                         Worker{"matcher", MATCHER_PROGRAM, 3},
                                         Worker{"actuator", ACTUATOR_PROGRAM, 2},
                                         Worker{"gate", GATE_PROGRAM, 2}),
                         [](const auto& test) { return test.param.name; });

// The supervisor, with no privilege and the real workers. Its configuration is read after the seal. Its lock
// is in a folder of the test's, so that others may run beside it.
class SupervisorFailsClosedTest : public testing::Test {
 protected:
  void start(const std::string& config, const std::vector<Refusal>& refusals,
             std::vector<std::string> arguments = {}) {
    supervisor_.emplace(SUPERVISOR_PROGRAM);
    supervisor_->environment = {{"XDG_RUNTIME_DIR", folder_}};
    supervisor_->before_exec = [&] {
      keep_capabilities(0);
      refuse(refusals);
    };
    arguments.insert(arguments.end(), {"--connect", "qemu+unix:///system?socket=/nowhere", config});
    supervisor_->start(arguments);
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path;
  std::optional<Process> supervisor_;
};

constexpr const char* kNoConfig = "/nowhere/config.yml";

TEST_F(SupervisorFailsClosedTest, AtEachStepOfTheSealBeforeItOpensTheConfiguration) {
  for (const Step& step : steps()) {
    if (!has(step, "supervisor")) continue;
    SCOPED_TRACE(step.says);
    start(kNoConfig, step.refusals);
    EXPECT_EQ(supervisor_->wait(), EXIT_FAILURE);
    EXPECT_THAT(last(supervisor_->lines()),
                StartsWith(std::string("whawty-libvirt-usb-hotplugd: sandbox: ") + step.says));
    EXPECT_EQ(supervisor_->lines_with(kNoConfig), 0);
  }
}

TEST_F(SupervisorFailsClosedTest, ButNotIfEachStepIsDone) {
  start(kNoConfig, {});
  EXPECT_EQ(supervisor_->wait(), EXIT_FAILURE);
  EXPECT_THAT(last(supervisor_->lines()), HasSubstr(kNoConfig));
}

TEST_F(SupervisorFailsClosedTest, OnAKernelWithoutLandlockItDoesNotStart) {
  start(kNoConfig, kNoLandlock);
  EXPECT_EQ(supervisor_->wait(), EXIT_FAILURE);
  EXPECT_THAT(supervisor_->lines(),
              ElementsAre(AllOf(
                  HasSubstr("this kernel does not have Landlock"), HasSubstr("start with --without-landlock"),
                  HasSubstr("the lines [Service] and Environment=OPTIONS=--without-landlock in "
                            "/etc/systemd/system/whawty-libvirt-usb-hotplugd.service.d/options.conf"))));
}

TEST_F(SupervisorFailsClosedTest, UnlessItIsToldToAndThenItSaysSoOnce) {
  const std::string config = folder_ + "/config.yml";
  std::ofstream(config) << "machines:\n  a:\n    devices:\n    - vendor-id: 0x046d\n";
  start(config, kNoLandlock, {"--without-landlock"});
  EXPECT_TRUE(supervisor_->logs("using the configuration"));
  supervisor_->signal(SIGTERM);
  EXPECT_EQ(supervisor_->wait(), 0);
  EXPECT_EQ(supervisor_->lines_with("running without Landlock"), 1);
  EXPECT_EQ(supervisor_->lines_with("Landlock"), 1);
  EXPECT_EQ(supervisor_->lines_with("sandbox"), 0);
}

}  // namespace
}  // namespace whawty
