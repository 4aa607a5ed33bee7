// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Start and end, signals, the service manager, debug mode, and who the processes are.
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <filesystem>

#include "system_test.h"
#include "tests/unix_socket.h"

namespace whawty {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

class LifecycleTest : public SystemTest {
 protected:
  bool is_at_work() {
    return eventually([&] { return libvirt_.listings() > 0 && daemon_.worker("scanner") != 0; });
  }

  // Starts another one, like the first: it ends with one line, and the first serves on.
  void expect_second_is_refused() {
    fake::Daemon second("/run/tree/sbin/whawty-libvirt-usb-hotplugd");
    second.environment = daemon_.environment;
    second.privileged = daemon_.privileged;
    second.start({"/run/etc/config.yml"});
    EXPECT_EQ(second.wait(), 1);
    EXPECT_THAT(second.log(), MatchesRegex("[^\n]*another daemon runs on this host, as process " +
                                           daemon_.status("Pid") + ",[^\n]*\n"));
    plug(camera_);
    EXPECT_TRUE(gets("a", camera_));
    EXPECT_EQ(daemon_.lines_with("again in"), 0);
  }
};

class EndTest : public LifecycleTest, public testing::WithParamInterface<int> {};

TEST_P(EndTest, ItEndsCleanlyAndLeavesDevicesAttached) {
  start_with_guest();
  plug(camera_);
  ASSERT_TRUE(gets("a", camera_));
  daemon_.signal(GetParam());
  EXPECT_EQ(daemon_.wait(), 0);
  EXPECT_THAT(libvirt_.hostdevs("a"), ElementsAre(hostdev_of(camera_)));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach a 003/005 046d:0825"));
}

INSTANTIATE_TEST_SUITE_P(System, EndTest, testing::Values(SIGTERM, SIGINT),
                         [](const auto& test) { return test.param == SIGTERM ? "Terminate" : "Interrupt"; });

class KilledTest : public LifecycleTest {
 protected:
  void kill_supervisor() {
    daemon_.signal(SIGKILL);
    EXPECT_EQ(daemon_.wait(), -SIGKILL);
  }

  std::vector<pid_t> workers() const {
    std::vector<pid_t> workers;
    for (const char* const name : {"scanner", "matcher", "actuator", "gate"})
      workers.push_back(daemon_.worker(name));
    return workers;
  }

  // Whoever reaps it, it runs no more: its program's file is gone from it.
  static bool ends(pid_t worker) {
    return eventually([&] {
      std::error_code gone;
      return std::filesystem::read_symlink("/proc/" + std::to_string(worker) + "/exe", gone).empty();
    });
  }
};

TEST_F(KilledTest, NoWorkerOutlivesAKilledSupervisor) {
  start(config(wants_all("a")));
  const std::vector<pid_t> started = workers();
  ASSERT_THAT(started, testing::Each(testing::Gt(0)));
  kill_supervisor();
  for (const pid_t worker : started) EXPECT_TRUE(ends(worker)) << worker;
}

TEST_F(KilledTest, NotEvenOneThatHangs) {
  start(config(wants_all("a")));
  const std::vector<pid_t> started = workers();
  ASSERT_THAT(started, testing::Each(testing::Gt(0)));
  for (const pid_t worker : started) ASSERT_EQ(::kill(worker, SIGSTOP), 0);
  kill_supervisor();
  for (const pid_t worker : started) EXPECT_TRUE(ends(worker)) << worker;
}

TEST_F(LifecycleTest, ASecondDaemonIsRefused) {
  start_with_guest();
  expect_second_is_refused();
}

TEST_F(LifecycleTest, OneThatWasKilledAtAnyMomentKeepsNoneFromStarting) {
  start_with_guest();
  for (useconds_t milliseconds = 0; milliseconds < 20; ++milliseconds) {
    ::usleep(1000 * milliseconds);
    daemon_.signal(SIGKILL);
    EXPECT_EQ(daemon_.wait(), -SIGKILL);
    daemon_.start({"/run/etc/config.yml"});
  }
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_EQ(daemon_.lines_with("another daemon"), 0);
}

TEST_F(LifecycleTest, ReloadsThatComeEarlyAndFastKillNothing) {
  libvirt_.define("a");
  host_.plug(camera_);
  write_config(config(wants_all("a")));
  libvirt_.start();
  daemon_.start({"/run/etc/config.yml"});
  // From the first moment at which a signal waits instead of killing. In fork(2) they wait, too: glibc 2.41
  // blocks them.
  constexpr unsigned long kHup = 1UL << (SIGHUP - 1);
  ASSERT_TRUE(eventually([&] {
    if (daemon_.status("Name") != "whawty-libvirt-") return false;
    const std::string blocked = daemon_.status("SigBlk");
    return !blocked.empty() && (std::stoul(blocked, nullptr, 16) & kHup) != 0;
  }));
  for (int i = 0; i < 100; ++i) {
    reload();
    ::usleep(1000);
  }
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_TRUE(daemon_.logs("reloaded the configuration"));
  EXPECT_EQ(daemon_.lines_with("again in"), 0);
  EXPECT_EQ(daemon_.lines_with("ended"), 0);
}

TEST_F(LifecycleTest, EveryProcessIsSealed) {
  start(config(wants_all("a")));
  ASSERT_TRUE(is_at_work());
  for (const char* const worker : {"", "scanner", "matcher", "actuator", "gate"}) {
    EXPECT_TRUE(eventually([&] { return daemon_.status("Seccomp", worker) == "2"; })) << worker;
    EXPECT_EQ(daemon_.status("NoNewPrivs", worker), "1") << worker;
    EXPECT_EQ(daemon_.status("CapPrm", worker), "0000000000000000") << worker;
  }
  EXPECT_EQ(daemon_.lines_with("not started as root"), 1);
}

// The users as systemd-sysusers would create them, in an /etc/passwd of our own.
class RootTest : public LifecycleTest {
 protected:
  void SetUp() override {
    if (!is_real_root()) GTEST_SKIP() << "only root can become other users";
    daemon_.privileged = true;
    libvirt_.define("a");
  }

  ~RootTest() override {
    ::umount2("/etc/passwd", MNT_DETACH);
    ::umount2("/etc/group", MNT_DETACH);
  }

  void create_users() {
    write_file("passwd",
               "root:x:0:0::/root:/bin/sh\n"
               "whawty-usb-scanner:x:901:901::/:/usr/sbin/nologin\n"
               "whawty-usb-matcher:x:902:902::/:/usr/sbin/nologin\n"
               "whawty-usb-actuator:x:903:903::/:/usr/sbin/nologin\n"
               "whawty-usb-gate:x:904:904::/:/usr/sbin/nologin\n");
    write_file("group", "root:x:0:\nlibvirt:x:910:whawty-usb-gate\n");
    ASSERT_EQ(::mount("/run/etc/passwd", "/etc/passwd", nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(::mount("/run/etc/group", "/etc/group", nullptr, MS_BIND, nullptr), 0);
  }
};

TEST_F(RootTest, EveryWorkerHasItsOwnUserAndTheSupervisorFewPowers) {
  create_users();
  start(config(wants_all("a")));
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_EQ(daemon_.status("Uid", "scanner"), "901\t901\t901\t901");
  EXPECT_EQ(daemon_.status("Gid", "scanner"), "901\t901\t901\t901");
  EXPECT_EQ(daemon_.status("Uid", "matcher"), "902\t902\t902\t902");
  EXPECT_EQ(daemon_.status("Uid", "actuator"), "903\t903\t903\t903");
  EXPECT_EQ(daemon_.status("Groups", "scanner"), " ");
  EXPECT_EQ(daemon_.status("Groups", "matcher"), " ");
  EXPECT_EQ(daemon_.status("Uid", "gate"), "904\t904\t904\t904");
  EXPECT_EQ(daemon_.status("Groups", "actuator"), " ");
  EXPECT_EQ(daemon_.status("Groups", "gate"), "910 ");
  for (const char* const worker : {"scanner", "matcher", "actuator", "gate"})
    EXPECT_EQ(daemon_.status("CapPrm", worker), "0000000000000000") << worker;
  EXPECT_EQ(daemon_.status("CapPrm"), "00000000000000c0");  // SETGID, SETUID
  EXPECT_EQ(daemon_.status("CapEff"), "00000000000000c0");
  EXPECT_EQ(daemon_.lines_with("not started as root"), 0);

  // And it can end them, though they are not its own.
  libvirt_.disconnect();
  ASSERT_TRUE(daemon_.logs("starting all four again"));
  plug(webcam(6));
  EXPECT_TRUE(gets("a", webcam(6)));
  daemon_.signal(SIGTERM);
  EXPECT_EQ(daemon_.wait(), 0);
}

TEST_F(RootTest, ASecondDaemonIsRefusedToo) {
  create_users();
  start(config(wants_all("a")));
  expect_second_is_refused();
  EXPECT_TRUE(std::filesystem::exists("/run/whawty-libvirt-usb-hotplugd/lock"));
}

TEST_F(RootTest, WithoutTheUsersItSaysWhatToDo) {
  write_config(config(wants_all("a")));
  daemon_.start({"/run/etc/config.yml"});
  EXPECT_EQ(daemon_.wait(), 1);
  EXPECT_THAT(daemon_.log(),
              AllOf(HasSubstr("there is no user whawty-usb-scanner"), HasSubstr("systemd-sysusers")));
}

TEST_F(LifecycleTest, InDebugModeEachScanIsListed) {
  libvirt_.define("a");
  libvirt_.define("b", false);
  camera_.database = "V:1\nE:ID_MODEL=cam \xc3\xa4\nE:AAA=0825\nG:tag\nG:other\nQ:tag\n";
  host_.plug(camera_);
  daemon_.environment["WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG"] = "";
  start(config(wants("c", 1)));
  ASSERT_TRUE(daemon_.logs("current tags:"));
  const std::string log = daemon_.log();
  EXPECT_THAT(log, HasSubstr("device 003/005 046d:0825 port=3-5\n"));
  EXPECT_THAT(log, HasSubstr("  AAA = 0825\n"));
  EXPECT_THAT(log, HasSubstr("  ID_MODEL = \"cam \\xc3\\xa4\"\n"));
  EXPECT_THAT(log, HasSubstr("  SUBSYSTEM = usb\n"));
  EXPECT_THAT(log, HasSubstr("  DEVTYPE = usb_device\n"));
  EXPECT_THAT(log, HasSubstr("  tags: other tag\n"));
  EXPECT_THAT(log, HasSubstr("  current tags: tag\n"));
  EXPECT_LT(log.find("  AAA = "), log.find("  ID_MODEL = "));
  ASSERT_TRUE(daemon_.logs("guest b 00000000-0000-1234-0000-000000000002 off"));
  EXPECT_EQ(daemon_.lines_with("guest a 00000000-0000-1234-0000-000000000001 running"), 1);
  const int scans = daemon_.lines_with("device 003/005");
  reload();
  EXPECT_TRUE(eventually([&] { return daemon_.lines_with("device 003/005") > scans; }));
}

TEST_F(LifecycleTest, WithoutDebugModeNothingIsListed) {
  libvirt_.define("a");
  host_.plug(camera_);
  start(config(wants("c", 1), "20ms"));
  EXPECT_TRUE(eventually([&] { return libvirt_.listings() > 3; }));
  EXPECT_EQ(daemon_.lines_with("device 003/005"), 0);
  EXPECT_EQ(daemon_.lines_with("guest"), 0);
}

TEST_F(LifecycleTest, UnderTheJournalEveryLineBeginsWithItsPriority) {
  daemon_.environment["JOURNAL_STREAM"] = daemon_.journal_stream();
  start_with_guest();
  plug(camera_);
  ASSERT_TRUE(daemon_.logs("<6>matcher: attached 003/005"));
  EXPECT_TRUE(daemon_.logs("<6>actuator: connected to qemu:///system?socket=/run/libvirt-rpc"));
  EXPECT_TRUE(daemon_.logs("<4>whawty-libvirt-usb-hotplugd: not started as root"));
}

// The service manager's end of NOTIFY_SOCKET.
class NotifyTest : public LifecycleTest {
 protected:
  NotifyTest() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    EXPECT_TRUE(bind_to(socket_, "/run/notify"));
    EXPECT_EQ(::chmod("/run/notify", 0666), 0);
    daemon_.environment["NOTIFY_SOCKET"] = "/run/notify";
  }

  // Waits for a message that starts so, and returns it; empty if none comes.
  std::string heard(const std::string& start) {
    std::string found;
    eventually([&] {
      char text[1024];
      for (ssize_t length = 0; (length = ::recv(socket_.get(), text, sizeof text, 0)) > 0;)
        messages_.emplace_back(text, static_cast<std::size_t>(length));
      while (!messages_.empty() && found.empty()) {
        if (messages_.front().starts_with(start)) found = messages_.front();
        messages_.pop_front();
      }
      return !found.empty();
    });
    return found;
  }

  Fd socket_;
  std::deque<std::string> messages_;
};

TEST_F(NotifyTest, TheServiceManagerHearsOfEveryTransition) {
  libvirt_.define("a");
  write_config(config(wants_all("a")));
  daemon_.start({"/run/etc/config.yml"});
  EXPECT_EQ(heard("STATUS="), "STATUS=waiting for libvirt");
  EXPECT_EQ(heard("READY="), "READY=1");
  libvirt_.start();
  EXPECT_EQ(heard("STATUS=1"), "STATUS=1 of 1 machines running, 0 of 0 USB devices attached");
  plug(camera_);
  EXPECT_EQ(heard("STATUS=1 of 1 machines running, 1"),
            "STATUS=1 of 1 machines running, 1 of 1 USB devices attached");
  reload();
  EXPECT_THAT(heard("RELOADING"), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_EQ(heard("READY="), "READY=1");
  write_config("?");
  reload();
  EXPECT_THAT(heard("RELOADING"), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_EQ(heard("READY="), "READY=1");
  daemon_.signal(SIGTERM);
  EXPECT_EQ(heard("STOPPING="), "STOPPING=1");
  EXPECT_EQ(daemon_.wait(), 0);
}

// The service manager hears of each answer.
class QuietTest : public NotifyTest {
 protected:
  static constexpr char kAnswer[] = "WATCHDOG=1";

  // Until the first answer to a ping: after that the workers only wait.
  void start_and_wait() {
    start_with_guest();
    plug(camera_);
    ASSERT_TRUE(gets("a", camera_));
    ASSERT_EQ(heard(kAnswer), kAnswer);
  }
};

TEST_F(QuietTest, WorkersThatDoNothingAreAskedSeldomAndSoonAfterOneWoke) {
  ASSERT_NO_FATAL_FAILURE(start_and_wait());
  EXPECT_EQ(heard(kAnswer), "") << "within ten seconds";
  plug(webcam(6));
  ASSERT_TRUE(gets("a", webcam(6)));
  EXPECT_EQ(heard(kAnswer), kAnswer);
}

class StoppedTest : public QuietTest, public testing::WithParamInterface<const char*> {};

TEST_P(StoppedTest, AWorkerThatIsStoppedWhileItWaitsIsReplacedWithinFifteenSeconds) {
  constexpr auto kInTime = std::chrono::seconds(15 + 2);  // it would be thirty if only the next ping found it
  ASSERT_NO_FATAL_FAILURE(start_and_wait());
  const auto stopped = std::chrono::steady_clock::now();
  ASSERT_EQ(::kill(daemon_.worker(GetParam()), SIGSTOP), 0);
  ASSERT_TRUE(
      eventually([&] { return daemon_.lines_with("the workers have not answered for 10 s") == 1; }, 40'000));
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, kInTime);
  plug(webcam(6));
  EXPECT_TRUE(gets("a", webcam(6)));
}

INSTANTIATE_TEST_SUITE_P(System, StoppedTest, testing::Values("scanner", "matcher", "actuator"),
                         [](const auto& test) { return std::string(test.param); });

TEST_F(NotifyTest, AReloadDuringARestartIsAnsweredToo) {
  start_with_guest();
  ASSERT_EQ(heard("READY="), "READY=1");
  ::kill(daemon_.worker("matcher"), SIGKILL);
  ASSERT_TRUE(daemon_.logs("again in 100 ms"));
  reload();
  EXPECT_THAT(heard("RELOADING"), StartsWith("RELOADING=1\n"));
  EXPECT_EQ(heard("READY="), "READY=1");
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
}

}  // namespace
}  // namespace whawty
