// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/trust.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "supervisor/config_files.h"
#include "supervisor/domain_list.h"
#include "tests/temporary_folder.h"

namespace whawty {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uid_t kSomebody = 12345;

// A folder that nobody else can write to. Temporary folders are below one that everybody can write to, so
// this one is below the test's own.
class TrustTest : public testing::Test {
 protected:
  TrustTest() {
    fs::create_directory(folder / "etc");
    file = folder / "etc" / "config.yml";
    std::ofstream(file) << "{}\n";
    fs::permissions(file, fs::perms(0644));
  }

  static fs::path safe_place() {
    const char* const home = std::getenv("HOME");
    return ::geteuid() == 0 || home == nullptr ? "/var/lib" : home;
  }

  static std::string objection(const fs::path& path) {
    const Fd opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return reason_not_to_trust(opened, path).value_or("");
  }

  const TemporaryFolder temporary{safe_place()};
  const fs::path& folder = temporary.path;
  fs::path file;
};

TEST_F(TrustTest, OnesOwnFileInOnesOwnFoldersIsTrusted) {
  EXPECT_EQ(objection(file), "");
}

TEST_F(TrustTest, AFileThatItsGroupCanWriteIsTrusted) {
  fs::permissions(file, fs::perms(0664));
  EXPECT_EQ(objection(file), "");
}

TEST_F(TrustTest, AFileThatEverybodyCanWriteIsNot) {
  fs::permissions(file, fs::perms(0646));
  EXPECT_THAT(objection(file), HasSubstr("it can be written by everybody"));
}

TEST_F(TrustTest, AFileBelowAFolderThatEverybodyCanWriteIsNot) {
  fs::permissions(folder, fs::perms(0777));
  EXPECT_THAT(objection(file), HasSubstr("its folder " + folder.string() + " can be written by everybody"));
}

TEST_F(TrustTest, AFileOfAnotherUserIsNot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(file.c_str(), kSomebody, 0), 0);
  EXPECT_THAT(objection(file), HasSubstr("belongs to user 12345"));
}

TEST_F(TrustTest, AFileInAFolderOfAnotherUserIsNot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  ASSERT_EQ(::chown((folder / "etc").c_str(), kSomebody, 0), 0);
  EXPECT_THAT(objection(file), HasSubstr("its folder"));
}

TEST_F(TrustTest, BothEndsOfASymbolicLinkMatter) {
  fs::create_directory(folder / "links");
  fs::create_symlink(file, folder / "links" / "config.yml");
  EXPECT_EQ(objection(folder / "links" / "config.yml"), "");
  fs::permissions(folder / "links", fs::perms(0777));
  EXPECT_THAT(objection(folder / "links" / "config.yml"), HasSubstr("links can be written"));
  fs::permissions(folder / "links", fs::perms(0755));
  fs::permissions(folder / "etc", fs::perms(0777));
  EXPECT_THAT(objection(folder / "links" / "config.yml"), HasSubstr("etc can be written"));
}

TEST_F(TrustTest, AConfigurationIsRefusedIfOneOfItsFilesIsNotTrusted) {
  fs::create_directory(folder / "etc" / "machines.d");
  const fs::path machine = folder / "etc" / "machines.d" / "a.yml";
  std::ofstream(machine) << "devices: [{bus: 1}]\n";
  EXPECT_TRUE(std::holds_alternative<ConfigFiles>(read_config_files(file, true)));
  fs::permissions(machine, fs::perms(0666));
  const auto refused = read_config_files(file, true);
  ASSERT_TRUE(std::holds_alternative<ConfigReadError>(refused));
  EXPECT_THAT(std::get<ConfigReadError>(refused).message,
              HasSubstr("a.yml: refused: it can be written by everybody"));
  EXPECT_TRUE(std::holds_alternative<ConfigFiles>(read_config_files(file, false)));
  fs::permissions(machine, fs::perms(0644));
  fs::permissions(file, fs::perms(0666));
  EXPECT_TRUE(std::holds_alternative<ConfigReadError>(read_config_files(file, true)));
}

TEST_F(TrustTest, TheListOfDomainsIsReadLineByLine) {
  const fs::path list = folder / "etc" / "domains";
  std::ofstream(list)
      << "# comment\n\n  Webcam-test \t\r\nname with blanks\n#not-this\nABCDEF01-2222-3333-4444-555555555555";
  EXPECT_THAT(read_domain_list(list, true), testing::ElementsAre("Webcam-test", "name with blanks",
                                                                 "abcdef01-2222-3333-4444-555555555555"));
}

TEST_F(TrustTest, AListOfDomainsThatIsNotTrustedOrNotReadableIsAnError) {
  const fs::path list = folder / "etc" / "domains";
  EXPECT_THROW(read_domain_list(list, true), std::runtime_error);
  std::ofstream(list) << "a\n";
  fs::permissions(list, fs::perms(0666));
  EXPECT_THROW(read_domain_list(list, true), std::runtime_error);
  EXPECT_THAT(read_domain_list(list, false), testing::ElementsAre("a"));
  std::ofstream(list) << std::string(300 * 1024, 'x');
  EXPECT_THROW(read_domain_list(list, false), std::runtime_error);
  std::ofstream(list) << std::string("a\0b", 3);
  EXPECT_THROW(read_domain_list(list, false), std::runtime_error);
}

}  // namespace
}  // namespace whawty
