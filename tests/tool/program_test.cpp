// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The program itself, on a host that is played, with libvirt's driver for tests, which has one domain:
// "test".
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/process.h"
#include "tests/scanner/fake_host.h"
#include "tests/temporary_folder.h"

namespace whawty {
namespace {

using testing::HasSubstr;
using testing::Not;

class ToolProgram : public testing::Test {
 protected:
  ToolProgram() {
    fake::UsbDevice camera = fake::device("3-6.3", 3, 5);
    camera.database = "E:ID_SERIAL_SHORT=3187B60\nE:ID_VENDOR=\\xe6\x1b\n";
    host_.plug(camera);
    write("config.yml", "{}");
  }

  std::string path(const std::string& name) const { return (folder_.path / name).string(); }

  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_.path / name).parent_path());
    std::ofstream(folder_.path / name) << text;
  }
  void write_rule(const std::string& machine, const std::string& rule = "vendor-id: 0x046d") {
    write("machines.d/" + machine + ".yml", "devices: [{" + rule + "}]\n");
  }

  int run(std::vector<std::string> arguments, const std::string& uri = "test:///default") {
    Process tool(WHAWTY_TOOL, Process::Log::kFile);
    tool.environment = {{"LIBVIRT_DEFAULT_URI", uri}, {"SYSTEMD_DEVICE_VERIFY_SYSFS", "0"}};
    tool.start(arguments);
    const int code = tool.wait();
    output_ = tool.log();
    return code;
  }

  fake::Host host_;
  TemporaryFolder folder_;
  std::string output_;
};

TEST_F(ToolProgram, ShowsTheDevicesOfTheHost) {
  EXPECT_EQ(run({"devices"}), 0);
  EXPECT_THAT(output_, HasSubstr("003/005  3-6.3  046d:0825"));
  EXPECT_THAT(output_, HasSubstr("3187B60"));
  EXPECT_THAT(output_, Not(HasSubstr("\x1b")));
  EXPECT_EQ(run({"devices", "3/5", "--verbose"}), 0);
  EXPECT_THAT(output_, HasSubstr("  ID_SERIAL_SHORT = 3187B60\n"));
  EXPECT_EQ(run({"devices", "9-9"}), 2);
  EXPECT_THAT(output_, HasSubstr("no device at 9-9"));
}

TEST_F(ToolProgram, ChecksExplainsAndPlans) {
  write_rule("test");
  EXPECT_EQ(run({"check", path("config.yml")}), 0);
  EXPECT_THAT(output_, HasSubstr(": good: 1 machine, "));
  EXPECT_THAT(output_, Not(HasSubstr("libvirt knows no domain")));
  EXPECT_EQ(run({"explain", path("config.yml"), "3-6.3"}), 0);
  EXPECT_THAT(output_, HasSubstr("  test: gets it, by test[0]\n"));
  EXPECT_EQ(run({"plan", path("config.yml")}), 0);
  EXPECT_THAT(output_, HasSubstr("attach 003/005 046d:0825 serial=3187B60 port=3-6.3 to test by test[0]"));
}

TEST_F(ToolProgram, AMistakeIsTheDaemonsLine) {
  write_rule("tset", "bus: x");
  EXPECT_EQ(run({"check", path("config.yml")}), 1);
  EXPECT_THAT(output_, HasSubstr("tset.yml:1:17: devices[0].bus: 'x' is not a number"));
  EXPECT_THAT(output_, HasSubstr("        devices: [{bus: x}]\n                        ^\n"));
  EXPECT_EQ(run({"plan", path("config.yml")}), 1);
}

TEST_F(ToolProgram, AConfigurationThatCannotBeReadIsNoMistakeInIt) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"check", path("nothing.yml")},
                                                {"explain", path("nothing.yml")},
                                                {"plan", path("nothing.yml")},
                                                {"plan", path("config.yml"), "-a", path("nothing.yml")},
                                                {"devices", "-C", path("nothing.yml")}}) {
    EXPECT_EQ(run(words), 2);
    EXPECT_THAT(output_, HasSubstr("nothing.yml: No such file or directory"));
  }
}

TEST_F(ToolProgram, WarningsCountOnlyIfTheyAreToCount) {
  write_rule("tset");
  EXPECT_EQ(run({"check", path("config.yml")}), 0);
  EXPECT_THAT(output_, HasSubstr("libvirt knows no domain tset"));
  EXPECT_EQ(run({"check", "--strict", path("config.yml")}), 1);
}

TEST_F(ToolProgram, WhereLibvirtDoesNotAnswerEachMachineRuns) {
  write_rule("anything");
  EXPECT_EQ(run({"plan", path("config.yml")}, "qemu:///system?socket=/nowhere"), 0);
  EXPECT_THAT(output_, HasSubstr("libvirt at qemu:///system?socket=/nowhere does not answer"));
  EXPECT_THAT(output_, HasSubstr("each machine of the configuration counts as running"));
  EXPECT_THAT(output_, HasSubstr(" to anything by anything[0]"));
}

TEST_F(ToolProgram, ARecordStandsForTheHost) {
  write_rule("test");
  write("old.yml", "{machines: {test: {devices: [bus: 9]}}}");
  EXPECT_EQ(run({"record", path("record"), "--redact"}), 0);
  host_.unplug("3-6.3");
  EXPECT_EQ(run({"plan", path("config.yml"), "--from", path("record")}), 0);
  EXPECT_THAT(output_, HasSubstr("serial=REDACTED"));
  EXPECT_THAT(output_, Not(HasSubstr("3187B60")));
  std::filesystem::create_directory(path("other"));
  write("other/new.yml", "{machines: {test: {devices: [bus: 9]}}}");
  EXPECT_EQ(run({"plan", path("other/new.yml"), "--against", path("config.yml"), "-f", path("record")}), 1);
  EXPECT_THAT(output_, HasSubstr("goes from test to the host"));
  EXPECT_EQ(run({"plan", path("config.yml"), "--against", path("other/new.yml"), "-f", path("record")}), 0);
  EXPECT_THAT(output_, HasSubstr("goes from the host to test"));
  write("broken", "x\n");
  EXPECT_EQ(run({"devices", "--from", path("broken")}), 2);
  EXPECT_THAT(output_, HasSubstr("broken:1: not a record of this version"));
  EXPECT_EQ(run({"devices", "--from", folder_.path}), 2);
  EXPECT_THAT(output_, HasSubstr(": Is a directory"));
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST_F(ToolProgram, ARecordIsForItsOwnerAlone) {
  write("record", "old\n");
  std::filesystem::permissions(path("record"), std::filesystem::perms(0644));
  EXPECT_EQ(run({"record", path("record")}), 0);
  EXPECT_EQ(std::filesystem::status(path("record")).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(run({"devices", "--from", path("record")}), 0);
  EXPECT_EQ(files_in(folder_.path), 2U);
}

TEST_F(ToolProgram, ARecordGoesWhereNoLinkLeads) {
  write("victim", "old\n");
  std::filesystem::create_symlink("victim", path("link"));
  EXPECT_EQ(run({"record", path("link")}), 2);
  EXPECT_THAT(output_, HasSubstr("link: is there, and is not a regular file"));
  EXPECT_EQ(run({"record", "/dev/null"}), 2);
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(std::filesystem::file_size(path("victim")), 4U);
}

TEST_F(ToolProgram, ARecordThatCannotBeWrittenLeavesTheOldOne) {
  write("record", "old\n");
  Process tool(WHAWTY_TOOL);  // its log is a pipe: a file has the limit, too
  tool.environment = {{"LIBVIRT_DEFAULT_URI", "test:///default"}};
  tool.before_exec = [] {
    const rlimit small{16, 16};
    if (::signal(SIGXFSZ, SIG_IGN) == SIG_ERR || ::setrlimit(RLIMIT_FSIZE, &small) != 0) ::_exit(1);
  };
  tool.start({"record", path("record")});
  EXPECT_EQ(tool.wait(), 2);
  EXPECT_EQ(std::filesystem::file_size(path("record")), 4U);
  EXPECT_EQ(files_in(folder_.path), 2U);
}

TEST_F(ToolProgram, AGuestThatLibvirtDoesNotDescribeMayLoseADevice) {
  write("new.yml", "{machines: {test: {devices: [bus: 9]}}}");
  write("record", "whawty-libvirt-usb-hotplugctl record 1\ndomain 1 2 yes no test\nend\n");
  EXPECT_EQ(run({"plan", path("new.yml"), "--against", path("config.yml"), "-f", path("record")}), 1);
  EXPECT_EQ(output_, "no device would move\nmachine test: libvirt does not tell what it has\n");
}

TEST_F(ToolProgram, SuggestsAFileOfMachinesD) {
  EXPECT_EQ(run({"suggest", "003/005", "test"}), 0);
  EXPECT_THAT(output_, HasSubstr("- vendor-id: 0x046d\n  product-id: 0x0825\n"));
  EXPECT_EQ(run({"suggest", "003/005", "a/b"}), 1);
}

TEST_F(ToolProgram, WritesJson) {
  write_rule("test");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"devices"},
                                                {"check", path("config.yml")},
                                                {"explain", path("config.yml")},
                                                {"plan", path("config.yml")},
                                                {"suggest", "3/5", "test"}}) {
    std::vector<std::string> arguments = words;
    arguments.push_back("--json");
    EXPECT_EQ(run(arguments), 0);
    EXPECT_TRUE(output_.starts_with('{') && output_.ends_with("}\n")) << output_;
  }
}

TEST_F(ToolProgram, WrongUseIsToldApart) {
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(output_, HasSubstr("usage: whawty-libvirt-usb-hotplugctl"));
  EXPECT_EQ(run({"--version"}), 0);
}

}  // namespace
}  // namespace whawty
