// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/config_files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/bounds.h"
#include "protocol/supervisor_to_matcher.h"
#include "tests/temporary_folder.h"
#include "tests/unix_socket.h"

namespace whawty {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class ConfigFilesTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }

  ConfigFiles read() const {
    auto result = read_config_files(main_, false);
    if (const auto* const error = std::get_if<ConfigReadError>(&result))
      throw std::runtime_error(error->message);
    return std::move(std::get<ConfigFiles>(result));
  }

  std::string error() const {
    const auto result = read_config_files(main_, false);
    const auto* const error = std::get_if<ConfigReadError>(&result);
    return error == nullptr ? "" : error->message;
  }

  // For root permissions would not count.
  std::string error_unprivileged() const {
    const uid_t user = ::geteuid();
    if (user != 0) return error();
    EXPECT_EQ(::seteuid(65534), 0);
    const std::string message = error();
    EXPECT_EQ(::seteuid(user), 0);
    return message;
  }

  static std::string content(const ConfigCopy& file) {
    std::string text(2 * kMaxConfigBytes, '\0');
    text.resize(static_cast<std::size_t>(::pread(file.content.get(), text.data(), text.size(), 0)));
    return text;
  }

  // The machines of machines.d, in order.
  std::vector<std::string> machines() const {
    std::vector<std::string> names;
    const ConfigFiles config = read();
    for (const ConfigCopy& file : config.files) names.push_back(file.machine);
    EXPECT_EQ(names.front(), "") << "the main file comes first";
    names.erase(names.begin());
    return names;
  }

  const TemporaryFolder temporary_;
  const fs::path& folder_ = temporary_.path;
  std::string main_ = folder_ / "config.yml";
};

TEST_F(ConfigFilesTest, TheMainFileAlone) {
  write("config.yml", "interval: 5s\n");
  const ConfigFiles config = read();
  ASSERT_EQ(config.files.size(), 1U);
  EXPECT_EQ(config.files[0].name, main_);
  EXPECT_EQ(config.files[0].machine, "");
  EXPECT_EQ(content(config.files[0]), "interval: 5s\n");
  EXPECT_THAT(config.notices, IsEmpty());
}

TEST_F(ConfigFilesTest, BytesAreCopiedUnread) {
  const std::string bytes("\0\xff\r\n{", 5);
  write("config.yml", bytes);
  EXPECT_EQ(content(read().files[0]), bytes);
  write("config.yml", "");
  EXPECT_EQ(content(read().files[0]), "");
}

TEST_F(ConfigFilesTest, ARelativePathFindsMachinesBesideIt) {
  write("config.yml", "");
  write("machines.d/a.yml", "");
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  main_ = "config.yml";
  const ConfigFiles config = read();
  fs::current_path(before);
  ASSERT_EQ(config.files.size(), 2U);
  EXPECT_EQ(config.files[1].name, "machines.d/a.yml");
}

TEST_F(ConfigFilesTest, MachinesAreSortedByName) {
  write("config.yml", "");
  for (const char* const name : {"b", "a", "C", "a-b", "10", "9"})
    write(std::string("machines.d/") + name + ".yml", name);
  EXPECT_THAT(machines(), ElementsAre("10", "9", "C", "a-b", "a", "b"));
  EXPECT_EQ(content(read().files[5]), "a");
  EXPECT_EQ(read().files[5].name, (folder_ / "machines.d/a.yml").string());
}

TEST_F(ConfigFilesTest, OnlyRegularFilesThatEndInYmlAreMachines) {
  write("config.yml", "");
  for (const char* const name :
       {"a.yml", "b.yaml", "c.yml~", "d", ".yml", "e.YML", "with space.yml", ".hidden.yml"})
    write(std::string("machines.d/") + name, "");
  fs::create_directory(folder_ / "machines.d/folder.yml");
  ASSERT_EQ(::mkfifo((folder_ / "machines.d/fifo.yml").c_str(), 0600), 0);
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_TRUE(bind_to(socket, folder_ / "machines.d/socket.yml"));
  fs::create_symlink("/dev/zero", folder_ / "machines.d/zero.yml");
  EXPECT_THAT(machines(), ElementsAre(".hidden", "a", "with space"));
}

TEST_F(ConfigFilesTest, LinksAreFollowed) {
  write("real/config.yml", "main");
  write("real/machine", "machine");
  fs::create_symlink("real/config.yml", folder_ / "config.yml");
  fs::create_directory(folder_ / "machines.d");
  fs::create_symlink("../real/machine", folder_ / "machines.d/a.yml");
  const ConfigFiles config = read();
  ASSERT_EQ(config.files.size(), 2U);
  EXPECT_EQ(content(config.files[0]), "main");
  EXPECT_EQ(content(config.files[1]), "machine");
  EXPECT_EQ(config.files[1].machine, "a");
}

TEST_F(ConfigFilesTest, ALinkToNothingIsNoticedAndIgnored) {
  write("config.yml", "");
  write("machines.d/b.yml", "");
  fs::create_symlink("nowhere", folder_ / "machines.d/a\n.yml");
  EXPECT_THAT(machines(), ElementsAre("b"));
  EXPECT_THAT(read().notices,
              ElementsAre((folder_ / "machines.d").string() + "/a\\x0a.yml is a link to nothing: ignored"));
}

TEST_F(ConfigFilesTest, AMissingMainFileIsAnError) {
  EXPECT_EQ(error(), main_ + ": No such file or directory");
}

TEST_F(ConfigFilesTest, AMainFileThatIsNoFileIsAnErrorAndHangsNobody) {
  ASSERT_EQ(::mkfifo(main_.c_str(), 0600), 0);
  EXPECT_EQ(error(), main_ + ": is not a regular file");
  fs::remove(main_);
  fs::create_directory(main_);
  EXPECT_EQ(error(), main_ + ": is not a regular file");
  fs::remove(main_);
  fs::create_symlink("/dev/zero", main_);
  EXPECT_EQ(error(), main_ + ": is not a regular file");
  main_ = "";
  EXPECT_EQ(error(), ": No such file or directory");
}

TEST_F(ConfigFilesTest, AFileUpToOneMebibyteFits) {
  write("config.yml", std::string(kMaxConfigBytes, 'x'));
  EXPECT_EQ(content(read().files[0]).size(), kMaxConfigBytes);
  write("config.yml", std::string(kMaxConfigBytes + 1, 'x'));
  EXPECT_EQ(error(), main_ + ": is larger than 1 MiB, which no configuration is");
  write("config.yml", "");
  write("machines.d/a.yml", std::string(3 * kMaxConfigBytes, 'x'));
  EXPECT_EQ(error(),
            (folder_ / "machines.d/a.yml").string() + ": is larger than 1 MiB, which no configuration is");
}

TEST_F(ConfigFilesTest, MachinesThatCannotBeReadAreAnError) {
  write("config.yml", "");
  write("machines.d/a.yml", "");
  fs::permissions(folder_, fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
  fs::permissions(folder_ / "machines.d/a.yml", fs::perms::none);
  EXPECT_EQ(error_unprivileged(), (folder_ / "machines.d/a.yml").string() + ": Permission denied");
  fs::permissions(folder_ / "machines.d", fs::perms::none);
  EXPECT_EQ(error_unprivileged(), (folder_ / "machines.d").string() + ": Permission denied");
  fs::permissions(folder_ / "machines.d", fs::perms::owner_all);
}

TEST_F(ConfigFilesTest, MoreThanAThousandMachinesAreAnError) {
  write("config.yml", "");
  for (int i = 0; i < 1000; ++i) write("machines.d/" + std::to_string(i) + ".yml", "");
  EXPECT_EQ(machines().size(), 1000U);
  write("machines.d/more.yml", "");
  EXPECT_EQ(error(), (folder_ / "machines.d").string() + ": holds more than 1000 files that end in .yml");
}

TEST_F(ConfigFilesTest, AFileNamedMachinesDIsNone) {
  write("config.yml", "");
  write("machines.d", "");
  EXPECT_THAT(machines(), IsEmpty());
}

TEST_F(ConfigFilesTest, ACopyStaysWhatItIs) {
  write("config.yml", "old");
  const ConfigFiles config = read();
  write("config.yml", "new");
  const int copy = config.files[0].content.get();
  EXPECT_EQ(content(config.files[0]), "old");
  EXPECT_EQ(::fcntl(copy, F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_EQ(::fcntl(copy, F_GETFD), FD_CLOEXEC);
  const Fd again(::open(("/proc/self/fd/" + std::to_string(copy)).c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(again) << "who may open it for writing finds it sealed";
  EXPECT_EQ(::write(again.get(), "x", 1), -1);
  EXPECT_EQ(::ftruncate(again.get(), 0), -1);
  EXPECT_EQ(::ftruncate(again.get(), 100), -1);
  EXPECT_EQ(::mmap(nullptr, 3, PROT_READ | PROT_WRITE, MAP_SHARED, again.get(), 0), MAP_FAILED);
  EXPECT_EQ(content(config.files[0]), "old");
}

TEST_F(ConfigFilesTest, ALongConfigurationLeaksNoDescriptor) {
  write("config.yml", "");
  write("machines.d/a.yml", std::string(kMaxConfigBytes + 1, 'x'));
  fs::create_directory(folder_ / "machines.d/b.yml");
  const auto open_descriptors = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const auto before = open_descriptors();
  EXPECT_NE(error(), "");
  fs::remove(folder_ / "machines.d/a.yml");
  EXPECT_EQ(error(), "");
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace whawty
