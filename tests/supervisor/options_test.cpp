// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace whawty {
namespace {

using testing::HasSubstr;
using Action = Options::Action;

class OptionsTest : public testing::Test {
 protected:
  OptionsTest() { ::unsetenv("LIBVIRT_DEFAULT_URI"); }

  static Options parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "whawty-libvirt-usb-hotplugd");
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    return parse_options(static_cast<int>(arguments.size()), pointers.data());
  }

  static std::string mistake(const std::vector<std::string>& arguments) {
    const Options options = parse(arguments);
    EXPECT_EQ(options.action, Action::kUsageError);
    return options.mistake;
  }
};

TEST_F(OptionsTest, ThePlainCallIsOneFile) {
  const Options options = parse({"/etc/config.yml"});
  EXPECT_EQ(options.action, Action::kRun);
  EXPECT_EQ(options.config, "/etc/config.yml");
  EXPECT_EQ(options.connect, "qemu:///system");
}

TEST_F(OptionsTest, NoFileOrTwoIsAMistake) {
  EXPECT_EQ(mistake({}), "the configuration file is missing");
  EXPECT_EQ(mistake({"--connect", "qemu:///system"}), "the configuration file is missing");
  EXPECT_EQ(mistake({"a.yml", "b.yml"}), "only one configuration file is possible");
}

TEST_F(OptionsTest, TheUriComesFromTheOptionElseFromTheEnvironment) {
  ::setenv("LIBVIRT_DEFAULT_URI", "qemu:///system?socket=/x", 1);
  EXPECT_EQ(parse({"a.yml"}).connect, "qemu:///system?socket=/x");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--connect", "qemu:///system?socket=/y", "a.yml"},
                                             {"a.yml", "--connect=qemu:///system?socket=/y"},
                                             {"-c", "qemu:///system?socket=/y", "a.yml"}}) {
    const Options options = parse(arguments);
    EXPECT_EQ(options.connect, "qemu:///system?socket=/y");
    EXPECT_EQ(options.config, "a.yml");
  }
  ::setenv("LIBVIRT_DEFAULT_URI", "", 1);
  EXPECT_EQ(parse({"a.yml"}).connect, "qemu:///system");
}

TEST_F(OptionsTest, TheUriIsOfThisHost) {
  for (const char* const uri :
       {"qemu:///system", "qemu:///system?socket=/run/x", "qemu+unix:///system?socket=/run/x"})
    EXPECT_EQ(parse({"--connect", uri, "a.yml"}).action, Action::kRun) << uri;
  for (const char* const uri : {"", "qemu", "qemu+ssh:///system", "qemu+tls://host/system",
                                "qemu://host/system", "qemu+unix://host/system", "qemu+ext:///system",
                                "qemu:///session", "test:///default", "xen:///system"})
    EXPECT_THAT(mistake({"--connect", uri, "a.yml"}),
                HasSubstr("not the URI of a libvirt that the daemon can use"))
        << uri;
}

TEST_F(OptionsTest, ItObservesIfItIsTold) {
  EXPECT_FALSE(parse({"a.yml"}).observe);
  EXPECT_TRUE(parse({"--observe", "a.yml"}).observe);
  EXPECT_EQ(parse({"a.yml", "--observe"}).config, "a.yml");
}

TEST_F(OptionsTest, HelpAndVersionNeedNoFile) {
  for (const char* const option : {"--help", "-h"}) EXPECT_EQ(parse({option}).action, Action::kHelp);
  for (const char* const option : {"--version", "-V"})
    EXPECT_EQ(parse({option, "a.yml"}).action, Action::kVersion);
}

TEST_F(OptionsTest, AMistakeIsNamed) {
  EXPECT_EQ(mistake({"--nonsense", "a.yml"}), "there is no option --nonsense");
  EXPECT_EQ(mistake({"a.yml", "--connect"}), "a value is missing after --connect");
}

TEST_F(OptionsTest, AfterTwoDashesComesAFile) {
  EXPECT_EQ(parse({"--", "--help"}).config, "--help");
}

TEST_F(OptionsTest, TheUsageNamesEveryOption) {
  for (const char* const option :
       {"CONFIG", "--connect", "--observe", "--help", "--version", "SIGHUP", "machines.d"})
    EXPECT_THAT(kUsage, HasSubstr(option));
}

}  // namespace
}  // namespace whawty
