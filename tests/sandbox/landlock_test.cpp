// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What Landlock leaves of the file system, tried by a process that restricts itself.
#include "common/landlock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "common/fd.h"
#include "tests/process.h"
#include "tests/temporary_folder.h"

namespace whawty {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path) {
  std::ofstream(path) << "content";
}

// A folder with two in it: "open", below which may be read, and "shut".
class LandlockTest : public testing::Test {
 protected:
  LandlockTest() {
    for (const fs::path& folder : {open_, shut_}) {
      fs::create_directories(root_ / folder / "deep");
      write(root_ / folder / "file");
      write(root_ / folder / "deep" / "file");
    }
  }
  void SetUp() override {
    if (!landlock_is_there()) GTEST_SKIP() << "this kernel does not have Landlock, or has it switched off";
  }

  // The error of the action in a process that may read below these folders, or 0.
  static int error_of(const std::function<bool()>& action, const std::vector<std::string>& folders) {
    return in_child([&] {
      std::vector<const char*> readable;
      for (const std::string& folder : folders) readable.push_back(folder.c_str());
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      restrict_files_to(readable);
      errno = 0;
      return action() ? 0 : errno;
    });
  }
  int error_of(const std::function<bool()>& action) const { return error_of(action, {root_ / open_}); }

  // In an action: opens a path below the root.
  std::function<bool()> opens(const fs::path& path, int flags) const {
    return [name = (root_ / path).string(), flags] {
      return ::open(name.c_str(), flags | O_CLOEXEC, 0600) >= 0;
    };
  }

  const TemporaryFolder temporary_;
  const fs::path& root_ = temporary_.path;
  const fs::path open_ = "open", shut_ = "shut";
};

TEST_F(LandlockTest, BelowTheFolderFilesAreReadAndFoldersListed) {
  for (const fs::path& path : {open_ / "file", open_ / "deep" / "file"})
    EXPECT_EQ(error_of(opens(path, O_RDONLY)), 0) << path;
  for (const fs::path& path : {open_, open_ / "deep"})
    EXPECT_EQ(error_of(opens(path, O_RDONLY | O_DIRECTORY)), 0) << path;
}

TEST_F(LandlockTest, ElsewhereNothingIsOpened) {
  for (const fs::path& path : {shut_ / "file", shut_ / "deep" / "file", fs::path("open/../shut/file")})
    EXPECT_EQ(error_of(opens(path, O_RDONLY)), EACCES) << path;
  for (const fs::path& path : {shut_, fs::path("."), fs::path("/"), fs::path("/proc")})
    EXPECT_EQ(error_of(opens(path, O_RDONLY | O_DIRECTORY)), EACCES) << path;
  EXPECT_EQ(error_of(opens("/etc/passwd", O_RDONLY)), EACCES);
}

// A rule holds for files, not for names: a link leads out of the folder.
TEST_F(LandlockTest, ALinkDoesNotLeadOut) {
  fs::create_symlink(root_ / shut_ / "file", root_ / open_ / "link");
  EXPECT_EQ(error_of(opens(open_ / "link", O_RDONLY)), EACCES);
}

TEST_F(LandlockTest, NothingIsWrittenAnywhere) {
  for (const fs::path& folder : {open_, shut_}) {
    for (const int flags : {O_WRONLY, O_RDWR, O_WRONLY | O_APPEND, O_WRONLY | O_TRUNC})
      EXPECT_EQ(error_of(opens(folder / "file", flags)), EACCES) << folder << ' ' << flags;
    EXPECT_EQ(error_of(opens(folder / "new", O_WRONLY | O_CREAT | O_EXCL)), EACCES) << folder;
    EXPECT_EQ(error_of(opens(folder, O_RDWR | O_TMPFILE)), EACCES) << folder;
  }
}

TEST_F(LandlockTest, NothingIsMadeMovedOrRemoved) {
  for (const fs::path& folder : {open_, shut_}) {
    SCOPED_TRACE(folder);
    const std::string file = root_ / folder / "file";
    const std::string deep = root_ / folder / "deep";
    const std::string made = root_ / folder / "new";
    EXPECT_EQ(error_of([&] { return ::mkdir(made.c_str(), 0700) == 0; }), EACCES);
    EXPECT_EQ(error_of([&] { return ::mkfifo(made.c_str(), 0600) == 0; }), EACCES);
    EXPECT_EQ(error_of([&] { return ::symlink("anything", made.c_str()) == 0; }), EACCES);
    EXPECT_EQ(error_of([&] { return ::link(file.c_str(), made.c_str()) == 0; }), EACCES);
    EXPECT_EQ(error_of([&] { return ::rename(file.c_str(), made.c_str()) == 0; }), EACCES);
    EXPECT_EQ(error_of([&] { return ::rename(file.c_str(), (deep + "/new").c_str()) == 0; }), EACCES);
    EXPECT_EQ(error_of([&] { return ::unlink(file.c_str()) == 0; }), EACCES);
    EXPECT_EQ(error_of([&] { return ::rmdir(deep.c_str()) == 0; }), EACCES);
  }
}

TEST_F(LandlockTest, NothingIsTruncatedByName) {
  constexpr long kKnowsTruncate = 3;
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < kKnowsTruncate)
    GTEST_SKIP() << "this kernel's Landlock does not know of truncate(2)";
  for (const fs::path& folder : {open_, shut_})
    EXPECT_EQ(error_of([&] { return ::truncate((root_ / folder / "file").c_str(), 0) == 0; }), EACCES);
}

// Below the folder either: a file in no format that the kernel knows would be refused as such (ENOEXEC).
TEST_F(LandlockTest, NothingIsExecuted) {
  const fs::path program = root_ / open_ / "file";
  fs::permissions(program, fs::perms::owner_all);
  EXPECT_EQ(error_of([&] {
              char* nothing[] = {nullptr};
              return ::execve(program.c_str(), nothing, nothing) == 0;
            }),
            EACCES);
}

TEST_F(LandlockTest, WhatWasOpenBeforeStaysUsable) {
  const Fd file(::open((root_ / shut_ / "file").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(file);
  EXPECT_EQ(error_of([&] {
              char byte = 0;
              return ::pread(file.get(), &byte, 1, 0) == 1 && ::pwrite(file.get(), &byte, 1, 0) == 1;
            }),
            0);
}

// But a folder that was open before opens nothing more.
TEST_F(LandlockTest, AFolderThatWasOpenBeforeIsNoWayAround) {
  const Fd folder(::open((root_ / shut_).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(folder);
  EXPECT_EQ(error_of([&] { return ::openat(folder.get(), "file", O_RDONLY | O_CLOEXEC) >= 0; }), EACCES);
}

TEST_F(LandlockTest, WithNoFolderNothingIsLeft) {
  for (const fs::path& path : {open_ / "file", shut_ / "file", fs::path("/dev/null"), fs::path("/")})
    EXPECT_EQ(error_of(opens(path, O_RDONLY), {}), EACCES) << path;
}

TEST_F(LandlockTest, AFolderThatIsNotThereIsNone) {
  EXPECT_EQ(error_of(opens(open_ / "file", O_RDONLY), {root_ / "gone"}), EACCES);
  EXPECT_EQ(error_of(opens(open_ / "file", O_RDONLY), {root_ / "gone", root_ / open_}), 0);
}

}  // namespace
}  // namespace whawty
