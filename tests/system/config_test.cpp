// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The configuration at the start and at a reload.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "common/fd.h"
#include "system_test.h"

namespace whawty {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigTest : public SystemTest {
 protected:
  // Runs the daemon to its end.
  int run(const std::vector<std::string>& arguments) {
    daemon_.start(arguments);
    return daemon_.wait();
  }
};

TEST_F(ConfigTest, AReloadActsAtOnce) {
  libvirt_.define("a");
  host_.plug(camera_);
  start(config(wants("a", 6)));
  write_config(config(wants("a", 5)));
  reload();
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_EQ(daemon_.lines_with("reloaded the configuration: 1 machine"), 1);
}

TEST_F(ConfigTest, AReloadThatTakesTheRuleAwayTakesTheDevice) {
  libvirt_.define("a");
  host_.plug(camera_);
  start(config(wants_all("a")));
  ASSERT_TRUE(gets("a", camera_));
  write_config(config(wants("a", 6)));
  reload();
  EXPECT_TRUE(ends_up_with("a", {}));
}

TEST_F(ConfigTest, ABadReloadKeepsTheConfigurationAndSaysWhere) {
  start_with_guest();
  write_config("machines:\n  a:\n    devices:\n    - vendor-id: 0403\n");
  reload();
  ASSERT_TRUE(daemon_.logs("Keeping the configuration of"));
  EXPECT_THAT(daemon_.log(), HasSubstr("/run/etc/config.yml:4:18: "));
  EXPECT_THAT(daemon_.log(), HasSubstr("'0403' starts with a zero"));
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  write_config(config(wants("a", 6)));
  reload();
  EXPECT_TRUE(ends_up_with("a", {}));
}

TEST_F(ConfigTest, AReloadThatCannotReadItKeepsTheConfiguration) {
  start_with_guest();
  std::filesystem::rename("/run/etc/config.yml", "/run/etc/config.old");
  reload();
  EXPECT_TRUE(daemon_.logs("/run/etc/config.yml: No such file or directory. Keeping the configuration of"));
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
}

TEST_F(ConfigTest, AGenerationAfterABadReloadHasTheConfigurationThatWasKept) {
  start_with_guest();
  write_config("{");
  reload();
  ASSERT_TRUE(daemon_.logs("Keeping the configuration of"));
  libvirt_.disconnect();
  ASSERT_TRUE(daemon_.logs("starting all four again"));
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
}

TEST_F(ConfigTest, MachinesStandInFilesOfTheirOwnToo) {
  libvirt_.define("a");
  libvirt_.define("b");
  write_file("machines.d/a.yml", "devices:\n- device: 5\n");
  write_file("machines.d/b.yml.disabled", "devices:\n- device: 6\n");
  start("{}");
  plug(webcam(6));
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  write_file("machines.d/b.yml", "devices:\n- device: 6\n");
  reload();
  EXPECT_TRUE(gets("b", webcam(6)));
}

TEST_F(ConfigTest, AFileOfItsOwnReplacesAMachineAndTheLogSaysSo) {
  libvirt_.define("a");
  write_file("machines.d/a.yml", "devices:\n- device: 5\n");
  start(config(wants("a", 6)));
  plug(webcam(6));
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
  EXPECT_THAT(libvirt_.changes(), ElementsAre("attach a 003/005 046d:0825"));
  EXPECT_EQ(daemon_.lines_with("machines.d/a.yml"), 1);
}

TEST_F(ConfigTest, ABadErrorInAFileOfItsOwnNamesThatFile) {
  write_config("{}");
  write_file("machines.d/a.yml", "devices:\n- device: 500\n");
  EXPECT_EQ(run({"/run/etc/config.yml"}), 1);
  EXPECT_THAT(daemon_.log(), HasSubstr("/run/etc/machines.d/a.yml:2:11: "));
}

TEST_F(ConfigTest, ABadFirstConfigurationEndsIt) {
  write_config("machines:\n  a: {}\n");
  EXPECT_EQ(run({"/run/etc/config.yml"}), 1);
  EXPECT_THAT(daemon_.log(), HasSubstr("/run/etc/config.yml:2:"));
  EXPECT_EQ(daemon_.lines_with("starting all four again"), 0);
}

TEST_F(ConfigTest, AtATerminalABadOneIsShown) {
  const Fd reader(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  ASSERT_TRUE(reader && ::grantpt(reader.get()) == 0 && ::unlockpt(reader.get()) == 0);
  const Fd terminal(::open(::ptsname(reader.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal);
  daemon_.terminal = terminal.get();
  write_config("machines:\n  a:\n    devices:\n    - vendor-id: 0403 # \u00e9\n");
  EXPECT_EQ(run({"/run/etc/config.yml"}), 1);
  char text[4096];
  const ssize_t length = ::read(reader.get(), text, sizeof text);
  ASSERT_GT(length, 0);
  EXPECT_THAT(std::string(text, static_cast<std::size_t>(length)),
              testing::ContainsRegex("'0403' starts with a zero.*\n"
                                     ".* matcher:     +- vendor-id: 0403 # .xc3.xa9\r\n"
                                     ".* matcher:                      \\^\r\n"));
}

TEST_F(ConfigTest, NoConfigurationEndsIt) {
  EXPECT_EQ(run({"/run/etc/config.yml"}), 1);
  EXPECT_THAT(daemon_.log(), HasSubstr("/run/etc/config.yml: No such file or directory\n"));
}

TEST_F(ConfigTest, AFifoIsNoConfigurationAndDoesNotHang) {
  std::filesystem::create_directories("/run/etc");
  ASSERT_EQ(::mkfifo("/run/etc/config.yml", 0644), 0);
  EXPECT_EQ(run({"/run/etc/config.yml"}), 1);
  EXPECT_THAT(daemon_.log(), HasSubstr("/run/etc/config.yml: is not a regular file\n"));
}

TEST_F(ConfigTest, UsageIsAnErrorWithoutOneArgument) {
  EXPECT_EQ(run({}), 1);
  EXPECT_EQ(run({"one", "two"}), 1);
  EXPECT_EQ(daemon_.lines_with("usage: whawty-libvirt-usb-hotplugd"), 2);
  EXPECT_EQ(run({"--nonsense", "one"}), 1);
  EXPECT_EQ(daemon_.lines_with("there is no option --nonsense"), 1);
}

TEST_F(ConfigTest, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(daemon_.lines_with("usage: whawty-libvirt-usb-hotplugd"), 1);
  EXPECT_TRUE(daemon_.log().ends_with("\nwhawty-libvirt-usb-hotplugd " WHAWTY_VERSION "\n"));
}

TEST_F(ConfigTest, TheConnectOptionIsStrongerThanTheEnvironment) {
  libvirt_.define("a");
  write_config(config(wants_all("a")));
  libvirt_.start();
  daemon_.environment["LIBVIRT_DEFAULT_URI"] = "qemu:///system?socket=/nowhere";
  daemon_.start({"--connect", "qemu:///system?socket=/run/libvirt-rpc", "/run/etc/config.yml"});
  plug(camera_);
  EXPECT_TRUE(gets("a", camera_));
}

}  // namespace
}  // namespace whawty
