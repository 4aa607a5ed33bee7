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

TEST_F(TrustTest, AFolderForEverybodyIsNotToBeChanged) {
  fs::permissions(folder, fs::perms(01777));
  EXPECT_THAT(objection(file),
              HasSubstr("its folder " + folder.string() + " is for everybody to write to (keep"));
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
  EXPECT_THAT(objection(folder / "links" / "config.yml"), HasSubstr("etc, to which the link"));
}

// Folders of a way: "etc" with the file, "links" with links, "others" of somebody else.
class LinkTest : public TrustTest {
 protected:
  LinkTest() {
    for (const char* const name : {"links", "others"}) fs::create_directory(folder / name);
    // Another user's, or, where that takes a capability that is not there, one that everybody can write to.
    if (::chown((folder / "others").c_str(), kSomebody, 0) != 0)
      fs::permissions(folder / "others", fs::perms(0777));
  }

  fs::path link(const fs::path& name, const fs::path& target) const {
    fs::create_symlink(target, folder / name);
    return folder / name;
  }

  void expect_refused(const fs::path& path, const std::string& by_link) const {
    const std::string message = objection(path);
    EXPECT_THAT(message, HasSubstr("its folder " + (folder / "others").string() + by_link)) << path;
    EXPECT_THAT(message, HasSubstr(' ' + (folder / "others").string() + ')')) << "what to do";
  }
};

TEST_F(LinkTest, ALinkInAFolderOfAnotherUserIsRefusedWhereverItLeads) {
  link("others/config.yml", file);
  link("others/etc", folder / "etc");
  expect_refused(folder / "others" / "config.yml", "");
  expect_refused(folder / "others" / "etc" / "config.yml", "");
}

TEST_F(LinkTest, ALinkToALinkInAFolderOfAnotherUserIsRefused) {
  link("others/config.yml", file);
  const fs::path first = link("links/config.yml", folder / "others" / "config.yml");
  expect_refused(first, ", to which the link " + first.string() + " leads,");
  const fs::path zero = link("links/zero.yml", "config.yml");
  expect_refused(zero, ", to which the link " + first.string() + " leads,");
}

TEST_F(LinkTest, AFolderThatIsALinkThroughAFolderOfAnotherUserIsRefused) {
  link("others/etc", "../etc");
  link("links/etc", "../others/etc");
  expect_refused(folder / "links" / "etc" / "config.yml", ", to which the link");
}

TEST_F(LinkTest, AWayThroughAFolderOfAnotherUserAndBackIsRefused) {
  expect_refused(folder / "others" / ".." / "etc" / "config.yml", "");
  expect_refused(link("links/config.yml", "../others/../etc/config.yml"), ", to which the link");
}

TEST_F(LinkTest, LinksThroughTrustedFoldersAreTrusted) {
  link("links/etc", "../etc");
  link("links/relative.yml", "etc/config.yml");
  EXPECT_EQ(objection(link("links/absolute.yml", folder / "links" / "relative.yml")), "");
  EXPECT_EQ(objection(link("links/up.yml", "../links/./../links/etc/../etc//config.yml")), "");
}

TEST_F(LinkTest, LinksInACircleAreAnError) {
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  link("links/a", "b");
  link("links/b", "a");
  EXPECT_THAT(reason_not_to_trust(opened, folder / "links" / "a").value_or(""),
              HasSubstr("more than 40 symbolic links"));
}

TEST_F(LinkTest, AMachineOrAListOfDomainsByALinkOfAnotherUserIsRefused) {
  fs::create_directory(folder / "etc" / "machines.d");
  std::ofstream(folder / "etc" / "a.yml") << "devices: [{bus: 1}]\n";
  link("others/a.yml", folder / "etc" / "a.yml");
  const fs::path machine = link("etc/machines.d/a.yml", folder / "others" / "a.yml");
  const auto refused = read_config_files(file, true);
  ASSERT_TRUE(std::holds_alternative<ConfigReadError>(refused));
  EXPECT_THAT(std::get<ConfigReadError>(refused).message,
              HasSubstr("a.yml: refused: its folder " + (folder / "others").string()));
  EXPECT_THROW(read_domain_list(machine, true), std::runtime_error);
  fs::remove(machine);
  EXPECT_TRUE(std::holds_alternative<ConfigFiles>(read_config_files(file, true)));
}

TEST_F(LinkTest, AFolderOfMachinesThatOthersMayEmptyIsRefused) {
  fs::create_directory(folder / "etc" / "machines.d");
  fs::permissions(folder / "etc" / "machines.d", fs::perms(0777));
  const auto refused = read_config_files(file, true);
  ASSERT_TRUE(std::holds_alternative<ConfigReadError>(refused));
  EXPECT_THAT(std::get<ConfigReadError>(refused).message, HasSubstr("machines.d: refused: its folder"));
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
