// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The program itself, sealed, as its supervisor starts it.
#include "tests/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/descriptors.h"
#include "common/exit_code.h"
#include "common/fd.h"
#include "common/text.h"
#include "fake_host.h"
#include "fake_matcher.h"
#include "scanner/readers.h"
#include "tests/eventually.h"
#include "tests/sandbox/refusals.h"

namespace whawty {
namespace {

using fake::sysnames;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

class ProcessTest : public testing::Test {
 protected:
  ProcessTest() { scanner_.environment = {{"SYSTEMD_DEVICE_VERIFY_SYSFS", "0"}}; }

  // With its channel, and then these descriptors.
  void start(const std::vector<std::string>& arguments = {}, const std::vector<int>& more = {}) {
    auto [ours, theirs] = Channel::pair();
    scanner_.descriptors = {theirs.get()};
    scanner_.descriptors.insert(scanner_.descriptors.end(), more.begin(), more.end());
    scanner_.start(arguments);
    matcher_.emplace(std::move(ours));
  }

  std::vector<pid_t> threads() const {
    std::vector<pid_t> threads;
    for (const auto& entry : std::filesystem::directory_iterator(concat("/proc/", scanner_.pid(), "/task")))
      threads.push_back(std::stoi(entry.path().filename()));
    return threads;
  }

  std::set<std::string> descriptors_of(pid_t thread) const {
    std::set<std::string> descriptors;
    for (const auto& entry :
         std::filesystem::directory_iterator(concat("/proc/", scanner_.pid(), "/task/", thread, "/fd")))
      descriptors.insert(entry.path().filename());
    return descriptors;
  }

  bool comes_to(const std::string& state) const {
    return eventually([&] { return scanner_.status("State") == state; });
  }

  fake::Host host_;
  std::optional<fake::Matcher> matcher_;
  Process scanner_{SCANNER};
};

// What a thread that waits in the kernel has cannot be taken from it, not even by killing it.
TEST_F(ProcessTest, OnlyTheThreadThatServesHasTheChannel) {
  start();
  EXPECT_THAT(sysnames(matcher_->snapshot()), IsEmpty());
  unsigned serving = 0;
  unsigned others = 0;
  for (const pid_t thread : threads()) {
    const std::set<std::string> descriptors = descriptors_of(thread);
    if (descriptors.contains(std::to_string(kScannerToMatcher))) {
      ++serving;
    } else {
      ++others;
      EXPECT_THAT(descriptors, testing::IsSubsetOf({"0", "1", "2"})) << thread;
    }
  }
  EXPECT_EQ(serving, 1U);
  EXPECT_EQ(others, 1 + Readers::kThreads);
}

// libudev 257 opens a device's directory once more, by /proc/self/fd. There, the kernel shows what the first
// thread has.
TEST_F(ProcessTest, WhatAThreadThatReadsDevicesHasOpenIsInProcSelfFd) {
  start();
  EXPECT_THAT(sysnames(matcher_->snapshot()), IsEmpty());
  for (const pid_t thread : threads()) {
    const bool serves = descriptors_of(thread).contains(std::to_string(kScannerToMatcher));
    EXPECT_EQ(::syscall(SYS_kcmp, scanner_.pid(), thread, KCMP_FILES, 0, 0) == 0, !serves) << thread;
  }
}

TEST_F(ProcessTest, ServesSealedAndEndsSilentlyWithItsMatcher) {
  host_.plug(fake::device("1-2", 1, 2));
  start();
  EXPECT_THAT(sysnames(matcher_->snapshot()), ElementsAre("1-2"));
  EXPECT_EQ(scanner_.status("Name"), "scanner");
  EXPECT_EQ(scanner_.status("Seccomp"), "2");
  EXPECT_EQ(scanner_.status("NoNewPrivs"), "1");
  EXPECT_EQ(scanner_.status("CapPrm"), "0000000000000000");
  host_.plug(fake::device("1-3", 1, 3));
  host_.event("add", "1-3");
  EXPECT_EQ(matcher_->expect<Device>().sysname, "1-3");
  host_.unplug("1-2");
  host_.event("remove", "1-2");
  EXPECT_EQ(matcher_->expect<DeviceRemoved>().sysname, "1-2");
  matcher_->rescan();
  EXPECT_THAT(sysnames(matcher_->snapshot()), ElementsAre("1-3"));
  matcher_.reset();
  EXPECT_EQ(scanner_.wait(), kExitPeerClosed);
  EXPECT_EQ(scanner_.log(), "");
}

// Whatever takes a rare path through libudev and the C library is allowed too.
TEST_F(ProcessTest, SurvivesSealedWhatAHostMayOffer) {
  for (unsigned i = 1; i <= 1000; ++i) {
    fake::UsbDevice device = fake::device("d" + std::to_string(i), i / 127 + 1, i % 127 + 1);
    device.database = "E:A=" + std::string(20'000, 'x') + "\nE:B=" + std::string(i * 30, 'y') + "\nG:tag\n";
    host_.plug(device);
  }
  host_.write_attribute("d1", "devnum", "none");
  fake::UsbDevice colourful = fake::device("d3", 1, 4);
  for (int i = 0; i < 1000; ++i) *colourful.database += concat("E:P", i, "=x\nG:t", i, "\nQ:t", i, '\n');
  host_.write_database(colourful);
  start();
  EXPECT_THAT(matcher_->snapshot(), SizeIs(999));
  // More events than the monitor holds, while the matcher does not read.
  host_.unplug("d2");
  matcher_->rescan();
  ::usleep(300'000);
  host_.event("change", "d3", 100'000);
  EXPECT_THAT(matcher_->snapshot(), SizeIs(998));
  EXPECT_THAT(matcher_->snapshot(), SizeIs(998));
  matcher_.reset();
  EXPECT_EQ(scanner_.wait(), kExitPeerClosed);
  EXPECT_THAT(scanner_.log(), HasSubstr("USB device d1 is left out: devnum is 'none'"));
  EXPECT_THAT(scanner_.log(), HasSubstr("lost"));
}

// It is a thread of its own that reads devices.
TEST_F(ProcessTest, NoDeviceLeadsItToFilesElsewhere) {
  host_.plug(fake::device("1-2", 1, 2));
  std::filesystem::create_symlink("/etc/passwd", "/sys/devices/pci0/1-2/serial");
  start();
  EXPECT_EQ(scanner_.wait(), kExitFailure);
  EXPECT_THAT(scanner_.log(), HasSubstr("scanner: sysfs: serial: Permission denied\n"));
}

TEST_F(ProcessTest, SurvivesSealedADeviceThatDoesNotAnswer) {
  fake::UsbDevice busy = fake::device("1-2", 1, 2);
  busy.attributes["serial"] = "A1";
  host_.plug(busy);
  host_.hold("1-2", "serial");
  start();
  EXPECT_FALSE(matcher_->snapshot().at(0).digest);
  host_.plug(fake::device("1-3", 1, 3));
  host_.event("add", "1-3");
  EXPECT_EQ(matcher_->expect<Device>().sysname, "1-3");
  host_.release("1-2", "serial");
  EXPECT_EQ(matcher_->expect<Device>().sysname, "1-2");
  matcher_.reset();
  EXPECT_EQ(scanner_.wait(), kExitPeerClosed);
  EXPECT_EQ(scanner_.log(), "");
}

// Landlock gives it the folder that was there at its start, or none.
TEST_F(ProcessTest, EndsToReadARunUdevThatIsMadeLater) {
  for (const char* const why : {"was not there at the start, and is there now", "was made anew"}) {
    if (why[4] == 'n') std::filesystem::remove_all("/run/udev");
    start();
    matcher_->snapshot();
    std::filesystem::remove_all("/run/udev");
    std::filesystem::create_directories("/run/new/data");
    std::filesystem::rename("/run/new", "/run/udev");
    std::ofstream("/run/udev/control");
    matcher_->rescan();
    ASSERT_THROW(matcher_->next(), PeerClosed) << why;
    EXPECT_EQ(scanner_.wait(), kExitFailure);
    EXPECT_THAT(scanner_.log(), HasSubstr(concat("scanner: /run/udev ", why, '\n')));
  }
  fake::UsbDevice mouse = fake::device("1-2", 1, 2);
  mouse.database = "E:ID_MODEL=mouse\n";
  host_.plug(mouse);
  start();
  EXPECT_THAT(matcher_->snapshot().at(0).properties, Contains(Property{"ID_MODEL", "mouse"}));
}

TEST_F(ProcessTest, SaysOnceThatARecordOfUdevCannotBeRead) {
  const fake::UsbDevice mouse = fake::device("1-2", 1, 2);
  host_.plug(mouse);
  host_.spoil_database(mouse);
  start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
    matcher_->rescan();
  }
  EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
  matcher_.reset();
  EXPECT_EQ(scanner_.wait(), kExitPeerClosed);
  EXPECT_THAT(scanner_.log(),
              MatchesRegex("[0-9:]+ scanner: USB device 1-2 stays what it was, udev's record of it "
                           "cannot be read: Is a directory\n"));
}

// Real mounts and the real list, read after the seal: the partition has the number of a tmpfs.
TEST_F(ProcessTest, AMountIsNoticedAtOnceByTheSealedProcess) {
  std::filesystem::create_directories("/run/stick");
  ASSERT_EQ(::mount("none", "/run/stick", "tmpfs", 0, nullptr), 0);
  struct stat stick = {};
  ASSERT_EQ(::stat("/run/stick", &stick), 0);
  std::array<Fd, 5> later;  // the same file system, mounted nowhere yet
  for (Fd& one : later) {
    one = Fd(::open_tree(AT_FDCWD, "/run/stick", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    ASSERT_GE(one.get(), 0);
  }
  host_.plug(fake::device("1-2", 1, 2));
  host_.show_disk("1-2", concat(major(stick.st_dev), ':', minor(stick.st_dev)));
  start();
  EXPECT_THAT(matcher_->snapshot().at(0).host_uses, ElementsAre(HostUse{HostUseKind::kMounted, "sdb1"}));
  // As there is a disk it looks once a second anyhow. On a busy machine one prompt answer of a few shows that
  // it does not wait for that.
  bool prompt = false;
  for (std::size_t i = 0; i < later.size() && !prompt; ++i) {
    ASSERT_EQ(::umount2("/run/stick", 0), 0);
    EXPECT_THAT(matcher_->expect<Device>().host_uses, ElementsAre(HostUse{HostUseKind::kSettling, "sdb1"}));
    EXPECT_THAT(matcher_->expect<Device>().host_uses, IsEmpty());
    matcher_->rescan();  // and the next look is a second away
    EXPECT_THAT(matcher_->snapshot(), SizeIs(1));
    const auto before = std::chrono::steady_clock::now();
    ASSERT_EQ(::move_mount(later[i].get(), "", AT_FDCWD, "/run/stick", MOVE_MOUNT_F_EMPTY_PATH), 0);
    EXPECT_THAT(matcher_->expect<Device>().host_uses, SizeIs(1));
    prompt = std::chrono::steady_clock::now() - before < std::chrono::milliseconds(700);
  }
  EXPECT_TRUE(prompt);
}

// A real route and the real list.
TEST_F(ProcessTest, ADefaultRouteIsNoticedByTheSealedProcess) {
  host_.plug(fake::device("1-2", 1, 2));
  host_.show("net", "lo", "devices/pci0/1-2/1-2:1.0/net/lo");
  start();
  EXPECT_THAT(matcher_->snapshot().at(0).host_uses, IsEmpty());
  host_.change_interface();
  host_.add_default_route();
  EXPECT_THAT(matcher_->expect<Device>().host_uses, ElementsAre(HostUse{HostUseKind::kDefaultRoute, "lo"}));
}

TEST_F(ProcessTest, AnswersChecksSealed) {
  start();
  EXPECT_THAT(matcher_->snapshot(), IsEmpty());
  matcher_->check();
  matcher_->expect<Unchanged>();
  host_.count_event();
  matcher_->check();
  EXPECT_THAT(matcher_->snapshot(), IsEmpty());
}

// As the systemd unit does: a list of another mount namespace, here one that lacks the mount.
TEST_F(ProcessTest, TheListOfMountsMayBeGiven) {
  std::filesystem::create_directories("/run/stick");
  ASSERT_EQ(::mount("none", "/run/stick", "tmpfs", 0, nullptr), 0);
  struct stat stick = {};
  ASSERT_EQ(::stat("/run/stick", &stick), 0);
  host_.plug(fake::device("1-2", 1, 2));
  host_.show_disk("1-2", concat(major(stick.st_dev), ':', minor(stick.st_dev)));
  host_.mount();
  const Fd list(::open("/run/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  start({"--host-mounts"}, {list.get()});
  EXPECT_THAT(matcher_->snapshot().at(0).host_uses, IsEmpty());
}

// As when the drivers of the bus, of disks and of a file system are loaded while the daemon runs.
TEST_F(ProcessTest, ReadsWhatDriversAddToSysfsAfterTheSeal) {
  std::filesystem::remove_all("/sys/bus/usb");
  start();
  EXPECT_THAT(matcher_->snapshot(), IsEmpty());
  std::filesystem::create_directories("/sys/bus/usb/devices");
  host_.plug(fake::device("1-2", 1, 2));
  host_.show_disk("1-2", "8:17");
  std::filesystem::create_directories("/sys/fs/ext4/sdb1");
  matcher_->rescan();
  const std::vector<Device> devices = matcher_->snapshot();
  ASSERT_THAT(devices, SizeIs(1));
  EXPECT_THAT(devices.at(0).host_uses, ElementsAre(HostUse{HostUseKind::kMounted, "sdb1"}));
}

TEST_F(ProcessTest, SurvivesSuspension) {
  start();
  EXPECT_THAT(matcher_->snapshot(), IsEmpty());
  ASSERT_TRUE(comes_to("S (sleeping)"));
  scanner_.signal(SIGSTOP);
  ASSERT_TRUE(comes_to("T (stopped)"));
  scanner_.signal(SIGCONT);
  matcher_->rescan();
  EXPECT_THAT(matcher_->snapshot(), IsEmpty());
}

TEST_F(ProcessTest, AViolationIsAFailureAndOneLine) {
  start();
  EXPECT_THAT(matcher_->snapshot(), IsEmpty());
  matcher_->send(Datagram(16));
  EXPECT_EQ(scanner_.wait(), kExitFailure);
  EXPECT_THAT(scanner_.log(), HasSubstr("scanner: a message whose length is not its datagram's\n"));
}

TEST_F(ProcessTest, WithoutItsChannelItFailsWithOneLine) {
  scanner_.start();
  EXPECT_EQ(scanner_.wait(), kExitFailure);
  EXPECT_THAT(scanner_.log(), HasSubstr("scanner: descriptor 3 from the supervisor: "));
}

TEST_F(ProcessTest, WhatCannotBeSealedDoesNotRun) {
  scanner_.before_exec = [] { refuse({{SCMP_SYS(capset)}}); };
  start();
  EXPECT_EQ(scanner_.wait(), kExitUnsealed);
  EXPECT_THAT(scanner_.log(), HasSubstr("scanner: sandbox: capset"));
  EXPECT_THROW(matcher_->next(), PeerClosed);
}

}  // namespace
}  // namespace whawty
