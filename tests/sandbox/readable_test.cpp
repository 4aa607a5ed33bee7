// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What is left of this machine's own sysfs to the workers that read it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <span>
#include <string>

#include "actuator/profile.h"
#include "common/fd.h"
#include "common/landlock.h"
#include "scanner/profile.h"
#include "tests/process.h"

namespace whawty {
namespace {

class ReadableTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!landlock_is_there()) GTEST_SKIP() << "this kernel does not have Landlock, or has it switched off";
  }

  // The error of opening this, below a folder that was open before, in a process with these folders; or 0.
  static int error_of(std::span<const char* const> readable, const std::string& path, int folder = AT_FDCWD) {
    return in_child([&] {
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      restrict_files_to(readable);
      return ::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC) >= 0 ? 0 : errno;
    });
  }
};

constexpr const char* kNobodys[] = {"/sys",        "/sys/kernel", "/sys/kernel/notes", "/sys/module",
                                    "/sys/dev",    "/sys/power",  "/sys/firmware",     "/proc/self/status",
                                    "/etc/passwd", "/run",        "/dev/null"};

TEST_F(ReadableTest, NobodyReadsWhatIsNotAboutDevices) {
  for (const char* const path : kNobodys) {
    if (::access(path, F_OK) != 0) continue;
    EXPECT_EQ(error_of(kScannerReadable, path), EACCES) << path;
    EXPECT_EQ(error_of(kActuatorReadable, path), EACCES) << path;
  }
}

TEST_F(ReadableTest, TheScannerReadsTheListsOfDevicesAndWhatTheyLeadTo) {
  for (const char* const path : {"/sys/bus", "/sys/class", "/sys/class/mem", "/sys/class/mem/null",
                                 "/sys/class/mem/null/uevent", "/sys/devices", "/sys/fs"})
    EXPECT_EQ(error_of(kScannerReadable, path), 0) << path;
}

// Where they are not there yet, nobody could read what comes later: Landlock's rules are about what is there.
TEST_F(ReadableTest, TheScannersFoldersOfSysfsAreThoseThatTheKernelMakesFirst) {
  for (const std::string path : kScannerReadable) {
    if (!path.starts_with("/sys")) continue;
    EXPECT_TRUE(std::filesystem::is_directory(path)) << path;
    EXPECT_EQ(std::filesystem::path(path).parent_path(), "/sys") << "a driver may make it later: " << path;
  }
}

TEST_F(ReadableTest, WhatIsNotThereIsNotForbidden) {
  for (const char* const path : {"/sys/fs/none/sda", "/sys/bus/none", "/sys/class/none", "/run/udev/none"})
    EXPECT_EQ(error_of(kScannerReadable, path), ENOENT) << path;
}

TEST_F(ReadableTest, TheActuatorReadsDevicesByNumberOnly) {
  const Fd devices(::open("/sys/dev/char", O_PATH | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(devices);
  EXPECT_EQ(error_of(kActuatorReadable, "1:3", devices.get()), 0);
  EXPECT_EQ(error_of(kActuatorReadable, "1:3/uevent", devices.get()), 0);
  EXPECT_EQ(error_of(kActuatorReadable, ".", devices.get()), EACCES) << "a list of them";
  for (const char* const path : {"/sys/bus", "/sys/class", "/sys/fs", "/run/udev"})
    if (::access(path, F_OK) == 0) {
      EXPECT_EQ(error_of(kActuatorReadable, path), EACCES) << path;
    }
}

}  // namespace
}  // namespace whawty
