// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/instance_lock.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/text.h"
#include "tests/process.h"
#include "tests/temporary_folder.h"

namespace whawty {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr uid_t kSomebody = 12345;

// Another daemon, until it is killed; with a child that it has started but that is not yet another program.
class Other {
 public:
  explicit Other(const std::string& folder) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    said_ = Fd(ends[0]);
    Fd says(ends[1]);
    pid_ = start_child([&] { return hold(folder, std::move(says)); });
  }
  ~Other() {
    kill();
    if (child_ > 0) ::kill(child_, SIGKILL);
  }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;

  // Waits until it has the lock.
  bool holds() { return ::read(said_.get(), &child_, sizeof child_) == sizeof child_; }

  pid_t pid() const { return pid_; }

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  bool child_lives() const { return ::kill(child_, 0) == 0; }

 private:
  static int hold(const std::string& folder, Fd says) {
    const Fd lock = lock_instance(folder);
    const pid_t child = ::fork();
    if (child == 0) ::alarm(20);
    if (child > 0 && lock && ::write(says.get(), &child, sizeof child) < 0) ::abort();
    says.reset();
    while (true) ::pause();
  }

  Fd said_;
  pid_t pid_ = 0;
  pid_t child_ = 0;
};

class InstanceLockTest : public testing::Test {
 protected:
  std::string refusal() const {
    try {
      const Fd lock = lock_instance(folder_);
      return lock ? "none: locked" : "none: not locked";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  static struct stat status_of(const fs::path& path) {
    struct stat status = {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status;
  }

  const TemporaryFolder temporary_;
  const fs::path& above_ = temporary_.path;
  fs::path folder_ = above_ / "daemon";
};

TEST_F(InstanceLockTest, ASecondDaemonIsToldWhichOneRunsAndWhatToDo) {
  Other other(folder_);
  ASSERT_TRUE(other.holds());
  EXPECT_THAT(refusal(), AllOf(HasSubstr(concat("as process ", other.pid(), ",")),
                               HasSubstr("systemctl stop whawty-libvirt-usb-hotplugd")));
}

TEST_F(InstanceLockTest, OneThatWasKilledLocksNothingThoughItsChildLives) {
  Other other(folder_);
  ASSERT_TRUE(other.holds());
  ASSERT_THAT(refusal(), StartsWith("another daemon runs"));
  other.kill();
  EXPECT_TRUE(other.child_lives());
  EXPECT_EQ(refusal(), "none: locked");
}

TEST_F(InstanceLockTest, FoldersAreLockedOneByOne) {
  Other other(above_ / "another");
  ASSERT_TRUE(other.holds());
  EXPECT_EQ(refusal(), "none: locked");
}

TEST_F(InstanceLockTest, NobodyElseReachesTheLockAndNoProgramInheritsIt) {
  const mode_t mask = ::umask(0);
  const Fd lock = lock_instance(folder_);
  ::umask(mask);
  ASSERT_TRUE(lock);
  EXPECT_EQ(status_of(folder_).st_mode & 07777U, 0700U);
  EXPECT_EQ(status_of(folder_ / "lock").st_mode & 07777U, 0600U);
  EXPECT_EQ(::fcntl(lock.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(InstanceLockTest, WhatRootCreatesInTheFolderOfTheServiceIsTheServices) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  fs::create_directory(folder_);
  ASSERT_EQ(::chown(folder_.c_str(), kSomebody, kSomebody), 0);
  EXPECT_EQ(refusal(), "none: locked");
  EXPECT_EQ(status_of(folder_ / "lock").st_uid, kSomebody);
  EXPECT_EQ(status_of(folder_ / "lock").st_gid, kSomebody);
}

TEST_F(InstanceLockTest, WithoutAPlaceForItOneWarningSaysSo) {
  folder_ = above_ / "missing" / "daemon";
  testing::internal::CaptureStderr();
  EXPECT_EQ(refusal(), "none: not locked");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              MatchesRegex("[^\n]*nothing keeps a second daemon from being started[^\n]*missing/daemon: "
                           "No such file or directory\n"));
}

TEST_F(InstanceLockTest, LinksAreNotFollowed) {
  fs::create_directory(above_ / "elsewhere");
  fs::create_symlink(above_ / "elsewhere", folder_);
  EXPECT_EQ(refusal(), "none: not locked");
  EXPECT_TRUE(fs::is_empty(above_ / "elsewhere"));
  fs::remove(folder_);
  fs::create_directory(folder_);
  fs::create_symlink(above_ / "elsewhere" / "file", folder_ / "lock");
  EXPECT_EQ(refusal(), "none: not locked");
  EXPECT_FALSE(fs::exists(above_ / "elsewhere" / "file"));
}

TEST(InstanceFolderTest, RootAndTheServiceMeetWhereNobodyElseCanCreateAFolder) {
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  EXPECT_EQ(instance_folder(true), "/run/whawty-libvirt-usb-hotplugd");
  EXPECT_EQ(instance_folder(false), "/run/user/7/whawty-libvirt-usb-hotplugd");
  const std::string without = ::geteuid() == 0
                                  ? "/run/whawty-libvirt-usb-hotplugd"
                                  : concat("/run/user/", ::geteuid(), "/whawty-libvirt-usb-hotplugd");
  for (const char* const value : {"", "relative"}) {
    ::setenv("XDG_RUNTIME_DIR", value, 1);
    EXPECT_EQ(instance_folder(false), without);
  }
  ::unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(instance_folder(false), without);
}

}  // namespace
}  // namespace whawty
