// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What fails, and how little follows from it.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "system_test.h"

namespace whawty {
namespace {

using testing::ElementsAre;

constexpr int kPromptly = 2000;                     // milliseconds
constexpr useconds_t kOfferMicroseconds = 200'000;  // for the supervisor to read a configuration
constexpr long kStartTicks = 10;  // of processor time, for a matcher to start: hundredths of a second

// The processor time of a process in user mode, in hundredths of a second.
long processor_ticks(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string word;
  for (int field = 1; field <= 14; ++field) file >> word;
  return word.empty() ? 0 : std::stol(word);
}

// One of a process's threads that is not its first; 0 if there is none.
pid_t thread_beside(pid_t process) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task"))
    if (const pid_t thread = std::stoi(entry.path().filename()); thread != process) return thread;
  return 0;
}

class FailureTest : public SystemTest {};

class WorkerDeathTest : public FailureTest, public testing::WithParamInterface<const char*> {};

TEST_P(WorkerDeathTest, TheNextPlugIsServed) {
  start_with_guest();
  plug(camera_);
  ASSERT_TRUE(gets("a", camera_));
  const pid_t worker = daemon_.worker(GetParam());
  ASSERT_GT(worker, 0);
  ASSERT_EQ(::kill(worker, SIGKILL), 0);
  plug(webcam(6));
  EXPECT_TRUE(gets("a", webcam(6), kPromptly));
  EXPECT_TRUE(gets("a", camera_)) << "it stays attached";
  EXPECT_EQ(daemon_.lines_with(std::string("the ") + GetParam() +
                               " was killed by signal 9 (Killed): starting all "
                               "four again in 100 ms"),
            1);
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach a 003/005 046d:0825", "attach a 003/006 046d:0825"));
}

// A wait that a stop interrupts goes on by a call that nothing else makes. So it is when the host was
// suspended.
TEST_P(WorkerDeathTest, OneThatWasStoppedGoesOn) {
  start_with_guest();
  plug(camera_);
  ASSERT_TRUE(gets("a", camera_));
  const pid_t worker = daemon_.worker(GetParam());
  ASSERT_GT(worker, 0);
  ASSERT_EQ(::kill(worker, SIGSTOP), 0);
  ASSERT_TRUE(eventually([&] { return daemon_.status("State", GetParam()).starts_with("T"); }));
  ASSERT_EQ(::kill(worker, SIGCONT), 0);
  plug(webcam(6));
  EXPECT_TRUE(gets("a", webcam(6)));
  EXPECT_EQ(daemon_.worker(GetParam()), worker);
  EXPECT_EQ(daemon_.lines_with("again in"), 0);
}

INSTANTIATE_TEST_SUITE_P(System, WorkerDeathTest, testing::Values("scanner", "matcher", "actuator", "gate"),
                         [](const auto& test) { return std::string(test.param); });

TEST_F(FailureTest, AfterALostConnectionThereIsAFreshGeneration) {
  start_with_guest();
  libvirt_.disconnect();
  EXPECT_TRUE(daemon_.logs("gate: the connection to libvirt is lost: it closed the connection"));
  EXPECT_TRUE(daemon_.logs("the gate ended with exit code 1: starting all four again in 100 ms"));
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_, kPromptly));
}

// Such as one with a thread that waits in the kernel for a device. Here, a tracer keeps it.
TEST_F(FailureTest, AWorkerThatCannotEndKeepsNobodyWaiting) {
  start_with_guest();
  plug(camera_);
  ASSERT_TRUE(gets("a", camera_));
  const pid_t scanner = daemon_.worker("scanner");
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, scanner, nullptr, nullptr), 0);
  ASSERT_EQ(::kill(daemon_.worker("matcher"), SIGKILL), 0);
  plug(webcam(6));
  EXPECT_TRUE(gets("a", webcam(6)));
  EXPECT_TRUE(daemon_.logs("the scanner was killed and will end when the kernel lets it"));
  EXPECT_EQ(::waitpid(scanner, nullptr, __WALL), scanner);
}

// The kernel says nothing of its death before its last thread has ended. Here, a tracer keeps a thread of
// those that read devices.
TEST_F(FailureTest, AScannerThatIsKilledWhileAThreadCannotEndIsReplacedSoon) {
  start_with_guest();
  plug(camera_);
  ASSERT_TRUE(gets("a", camera_));
  const pid_t scanner = daemon_.worker("scanner");
  const pid_t reader = thread_beside(scanner);
  ASSERT_GT(reader, 0);
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, reader, nullptr, PTRACE_O_TRACEEXIT), 0);
  ASSERT_EQ(::kill(scanner, SIGKILL), 0);
  plug(webcam(6));
  EXPECT_TRUE(gets("a", webcam(6), 2 * kPromptly));
  EXPECT_TRUE(daemon_.logs("the scanner was killed and will end when the kernel lets it"));
  EXPECT_EQ(::waitpid(reader, nullptr, __WALL), reader);
  EXPECT_EQ(::ptrace(PTRACE_CONT, reader, nullptr, nullptr), 0);
  EXPECT_EQ(::waitpid(reader, nullptr, __WALL), reader);
  EXPECT_TRUE(eventually([&] { return ::kill(scanner, 0) != 0; })) << "it is not left as a zombie";
}

TEST_F(FailureTest, AReloadThatADeathInterruptsIsDoneByTheNextGeneration) {
  libvirt_.define("a");
  start(config(wants("a", 6)));
  plug(camera_);
  const pid_t matcher = daemon_.worker("matcher");
  ASSERT_EQ(::kill(matcher, SIGSTOP), 0);
  write_config(config(wants_all("a")));
  reload();
  ::usleep(kOfferMicroseconds);
  ASSERT_EQ(::kill(matcher, SIGKILL), 0);
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_EQ(daemon_.lines_with("before they had taken the new configuration: it is read again"), 1);
  EXPECT_EQ(daemon_.lines_with("Keeping the configuration"), 0);
}

TEST_F(FailureTest, AConfigurationThatEndsTheMatcherTwiceIsGivenUp) {
  start_with_guest();
  std::string machines;
  for (int i = 0; i < 8000; ++i)
    machines += "  m" + std::to_string(i) + ": {devices: [{udev: {env: [{name: X, pattern: '[a-z]+x'}]}}]}\n";
  write_config(config(wants_all("a") + machines));
  // Reading it takes the matcher longer than its start and all else that it does here. On a busy machine it
  // may have done so before it is killed; then it has to read it once more.
  int reloads = 0;
  const auto end_while_it_reads = [&](const char* words) {
    return eventually(
        [&] {
          const pid_t matcher = daemon_.worker("matcher");
          if (matcher != 0 && processor_ticks(matcher) > kStartTicks) ::kill(matcher, SIGKILL);
          if (const int done = daemon_.lines_with("reloaded the configuration"); done >= reloads) {
            reloads = done + 1;
            reload();
          }
          return daemon_.lines_with(words) > 0;
        },
        30'000);
  };
  ASSERT_TRUE(end_while_it_reads("taken the new configuration: it is read again"));
  ASSERT_TRUE(
      end_while_it_reads("the workers ended again before they had taken the new configuration. Keeping"));
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
}

TEST_F(FailureTest, PausesBetweenGenerationsGrow) {
  start_with_guest();
  for (const char* const pause : {"again in 100 ms", "again in 200 ms", "again in 400 ms"}) {
    libvirt_.disconnect();
    ASSERT_TRUE(daemon_.logs(pause));
    const int listings = libvirt_.listings();
    ASSERT_TRUE(eventually([&] { return libvirt_.listings() > listings; }));
  }
}

TEST_F(FailureTest, PausesBetweenGenerationsStartOverWhenOneHasWorked) {
  start_with_guest();
  for (const char* const pause : {"again in 100 ms", "again in 200 ms"}) {
    libvirt_.disconnect();
    ASSERT_TRUE(daemon_.logs(pause));
    const int listings = libvirt_.listings();
    ASSERT_TRUE(eventually([&] { return libvirt_.listings() > listings; }));
  }
  ::sleep(2);
  libvirt_.disconnect();
  EXPECT_TRUE(eventually([&] { return daemon_.lines_with("again in 100 ms") == 2; }, 2000));
}

TEST_F(FailureTest, ALibvirtThatIsDownIsWaitedForAndSaidOnce) {
  libvirt_.define("a");
  write_config(config(wants_all("a")));
  host_.plug(camera_);
  daemon_.start({"/run/etc/config.yml"});
  ASSERT_TRUE(daemon_.logs(
      "waiting for libvirt at qemu:///system?socket=/run/libvirt-rpc: No such file or directory"));
  libvirt_.start();
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_EQ(daemon_.lines_with("waiting for libvirt"), 1);
  EXPECT_EQ(daemon_.lines_with("again in"), 0);
}

TEST_F(FailureTest, WhileLibvirtIsDownABadReloadIsRefusedAndAGoodOneTaken) {
  libvirt_.define("a");
  write_config(config(wants("a", 6)));
  host_.plug(camera_);
  daemon_.start({"/run/etc/config.yml"});
  ASSERT_TRUE(daemon_.logs("waiting for libvirt"));
  ASSERT_TRUE(daemon_.logs("using the configuration"));
  write_config("?");
  reload();
  ASSERT_TRUE(daemon_.logs("Keeping the configuration of"));
  write_config(config(wants_all("a")));
  reload();
  ASSERT_TRUE(daemon_.logs("reloaded the configuration"));
  libvirt_.start();
  EXPECT_TRUE(gets("a", camera_));
}

TEST_F(FailureTest, AnAttachThatFailsIsTriedAgainWithGrowingPausesAndSaidOnce) {
  start_with_guest();
  libvirt_.fail_attaches(fake::Libvirt::kAll, "the guest's bus is full");
  plug(camera_);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(eventually([&] { return times("attach a 003/005 046d:0825") >= 5; }));
  // 100, 200, 400 and 800 ms.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1400));
  EXPECT_EQ(
      daemon_.lines_with("cannot attach 003/005 046d:0825 serial=CAM5 port=3-5 to a by a[0]: libvirt says: "
                         "the guest's bus is full"),
      1);
  libvirt_.fail_attaches(0, "");
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_TRUE(daemon_.logs("attached 003/005"));
  EXPECT_EQ(daemon_.lines_with("cannot attach"), 1);
  EXPECT_EQ(daemon_.lines_with("attached 003/005"), 1);
}

TEST_F(FailureTest, AnAttachThatFailsAtFirstOnlyIsTriedAgainSilently) {
  start_with_guest();
  libvirt_.fail_attaches(1, "failed to find host usb device");
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_TRUE(daemon_.logs("attached 003/005"));
  EXPECT_EQ(daemon_.lines_with("failed to find host usb device"), 0);
}

TEST_F(FailureTest, AFailedAttachIsTriedAtOnceWhenTheDevicesDriverIsBound) {
  start_with_guest();
  libvirt_.fail_attaches(fake::Libvirt::kAll, "failed to find host usb device");
  plug(camera_);
  ASSERT_TRUE(eventually([&] { return times("attach a 003/005 046d:0825") >= 5; }));
  // The next try is more than a second away.
  libvirt_.fail_attaches(0, "");
  // More than one event: the first may be faster than the answer to the last try.
  int count = 0;
  const auto bound = [&] {
    camera_.database = "E:ID_SERIAL_SHORT=CAM5\nE:BOUND=" + std::to_string(++count) + "\n";
    host_.write_database(camera_);
    host_.event("bind", camera_.sysname);
    return gets("a", camera_, 50);
  };
  EXPECT_TRUE(eventually(bound, 1000));
}

TEST_F(FailureTest, AStuckGuestDelaysNoOtherAndIsServedWhenItAnswersAgain) {
  libvirt_.define("a");
  libvirt_.define("b");
  libvirt_.define("c");
  start(config(wants("a", 5) + wants("b", 6) + wants("c", 7)));
  plug(webcam(7));
  ASSERT_TRUE(gets("c", webcam(7))) << "so all are described, and the attach is what hangs";
  libvirt_.hang("a");
  plug(camera_);
  plug(webcam(6));
  EXPECT_TRUE(gets("b", webcam(6), kPromptly));
  EXPECT_TRUE(eventually([&] { return daemon_.lines_with("machine a does not answer") > 0; }, 20'000));
  libvirt_.resume("a");
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_EQ(daemon_.lines_with("machine a does not answer"), 1);
  EXPECT_EQ(daemon_.lines_with("again in"), 0);
}

TEST_F(FailureTest, AGuestThatIsBusyKeepsWhatItHadAndIsServedWhenItNoLongerIs) {
  libvirt_.define("a");
  libvirt_.define("b");
  start(config(wants("b", 6) + wants_all("a"), "100ms"));
  plug(camera_);
  ASSERT_TRUE(gets("a", camera_));
  libvirt_.set_busy("a", true);
  ASSERT_TRUE(eventually([&] { return libvirt_.descriptions_refused() >= 3; }));
  plug(webcam(7));
  plug(webcam(6));
  EXPECT_TRUE(gets("b", webcam(6), kPromptly));
  EXPECT_TRUE(ends_up_with("a", {camera_})) << "nothing is done for it";
  libvirt_.set_busy("a", false);
  EXPECT_TRUE(ends_up_with("a", {camera_, webcam(7)}));
  EXPECT_EQ(daemon_.lines_with("Timed out") + daemon_.lines_with("is busy") + daemon_.lines_with("answer"),
            0);
}

TEST_F(FailureTest, AnUnplugIsServedWhileAnotherGuestIsStuck) {
  libvirt_.define("a");
  libvirt_.define("b");
  start(config(wants("a", 5) + wants("b", 6)));
  plug(webcam(6));
  ASSERT_TRUE(gets("b", webcam(6)));
  libvirt_.hang("a");
  plug(camera_);
  unplug(webcam(6));
  EXPECT_TRUE(ends_up_with("b", {}));
}

TEST_F(FailureTest, EndsThoughAGuestIsStuck) {
  start_with_guest();
  libvirt_.hang("a");
  plug(camera_);
  daemon_.signal(SIGTERM);
  EXPECT_EQ(daemon_.wait(), 0);
}

TEST_F(FailureTest, AMissingWorkerIsSaid) {
  fake::Daemon lonely("/run/lonely/sbin/whawty-libvirt-usb-hotplugd");
  std::filesystem::create_directories("/run/lonely/sbin");
  std::filesystem::copy("/run/tree/sbin", "/run/lonely/sbin");
  lonely.start({"/run/etc/config.yml"});
  EXPECT_EQ(lonely.wait(), 1);
  EXPECT_TRUE(
      lonely.logs("/run/lonely/libexec/whawty-libvirt-usb-hotplugd/scanner: No such file or directory"));
}

}  // namespace
}  // namespace whawty
