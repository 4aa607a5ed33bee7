// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Workers that have been taken over, and a supervisor that is not to be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/bounds.h"
#include "protocol/supervisor_to_matcher.h"
#include "tests/system/daemon.h"
#include "tests/temporary_folder.h"

namespace whawty::hostile {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class HostileWorkersTest : public testing::Test {
 protected:
  HostileWorkersTest() {
    const fs::path workers = folder_ / "libexec/whawty-libvirt-usb-hotplugd";
    for (const fs::path& made : {folder_ / "sbin", workers, folder_ / "run"}) fs::create_directories(made);
    fs::permissions(folder_, fs::perms(0755));
    fs::permissions(folder_ / "run", fs::perms::all);
    fs::copy_file(WHAWTY_SUPERVISOR, folder_ / "sbin/whawty-libvirt-usb-hotplugd");
    for (const char* const name : {"scanner", "matcher", "actuator", "gate"})
      fs::copy_file(WHAWTY_HOSTILE_WORKER, workers / name);
    std::ofstream(folder_ / "config.yml") << "{}\n";
  }

  void start(const std::string& part) {
    daemon_.environment = {{"XDG_RUNTIME_DIR", folder_ / "run"}, {"WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG", part}};
    daemon_.start({folder_ / "config.yml"});
  }

  const TemporaryFolder temporary_;
  const fs::path& folder_ = temporary_.path;
  fake::Daemon daemon_{folder_ / "sbin/whawty-libvirt-usb-hotplugd"};
};

TEST_F(HostileWorkersTest, AFloodKeepsNobodyFromReloadingAndEndingTheDaemon) {
  start("flood");
  ASSERT_TRUE(daemon_.logs("taken over"));
  std::ofstream(folder_ / "config.yml") << std::string(kMaxConfigBytes + 1, ' ');
  daemon_.signal(SIGHUP);
  EXPECT_TRUE(daemon_.logs("config.yml: is larger than"));
  daemon_.signal(SIGTERM);
  EXPECT_EQ(daemon_.wait(), 0);
}

TEST_F(HostileWorkersTest, OnceTheyHaveWorkedNoExitCodeOfTheirsEndsTheDaemon) {
  start("die");
  EXPECT_TRUE(daemon_.logs("the matcher ended with exit code 3: starting all four again in 100 ms"));
  daemon_.signal(SIGTERM);
  EXPECT_EQ(daemon_.wait(), 0);
}

TEST_F(HostileWorkersTest, OneThatCannotBeSealedAtTheStartDoes) {
  start("die-first");
  EXPECT_EQ(daemon_.wait(), EXIT_FAILURE);
  EXPECT_THAT(daemon_.log(), HasSubstr("a worker could not be sealed: ending"));
}

}  // namespace
}  // namespace whawty::hostile
