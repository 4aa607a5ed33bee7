// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/notifier.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "tests/temporary_folder.h"

namespace whawty {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The service manager's end of the socket with this name, which NOTIFY_SOCKET then holds.
class Manager {
 public:
  explicit Manager(const std::string& name)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
              0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }

  // The next datagram; empty if there is none.
  std::string next() const {
    char text[512];
    const ssize_t length = ::recv(socket_.get(), text, sizeof text, 0);
    return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : "";
  }

 private:
  Fd socket_;
};

class NotifierTest : public testing::Test {
 protected:
  ~NotifierTest() override { ::unsetenv("NOTIFY_SOCKET"); }

  static void expect_heard(const Manager& manager) {
    const Notifier notifier;
    notifier.ready();
    EXPECT_EQ(manager.next(), "READY=1");
    notifier.stopping();
    EXPECT_EQ(manager.next(), "STOPPING=1");
    notifier.status("all is well");
    EXPECT_EQ(manager.next(), "STATUS=all is well");
    EXPECT_EQ(manager.next(), "");
  }

  const TemporaryFolder temporary_;
  const std::filesystem::path& folder_ = temporary_.path;
};

TEST_F(NotifierTest, ASocketInTheFileSystemHears) {
  expect_heard(Manager((folder_ / "notify").string()));
}

TEST_F(NotifierTest, AnAbstractSocketHears) {
  expect_heard(Manager("@" + (folder_ / "notify").string()));
}

TEST_F(NotifierTest, AReloadTellsItsTime) {
  const Manager manager((folder_ / "notify").string());
  const auto microseconds = [] {
    std::timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000 + now.tv_nsec / 1'000;
  };
  const auto before = microseconds();
  Notifier().reloading();
  const std::string message = manager.next();
  constexpr std::string_view kStart = "RELOADING=1\nMONOTONIC_USEC=";
  ASSERT_THAT(message, StartsWith(std::string(kStart)));
  const long long told = std::stoll(message.substr(kStart.size()));
  EXPECT_GE(told, before);
  EXPECT_LE(told, microseconds());
}

TEST_F(NotifierTest, WithoutASocketItIsSilent) {
  testing::internal::CaptureStderr();
  for (const char* const value : {"unset", ""}) {
    ::setenv("NOTIFY_SOCKET", value, 1);
    if (*value != '\0') ::unsetenv("NOTIFY_SOCKET");
    const Notifier notifier;
    notifier.ready();
    notifier.reloading();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(NotifierTest, ASocketThatIsNotThereIsSaidOnceAndHarmsNothing) {
  testing::internal::CaptureStderr();
  ::setenv("NOTIFY_SOCKET", (folder_ / "nothing").c_str(), 1);
  const Notifier notifier;
  notifier.ready();
  notifier.status("x");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("NOTIFY_SOCKET: No such file or directory"));
}

TEST_F(NotifierTest, ANameThatIsTooLongIsSaid) {
  testing::internal::CaptureStderr();
  ::setenv("NOTIFY_SOCKET", std::string(108, 'x').c_str(), 1);
  Notifier().ready();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("NOTIFY_SOCKET is too long"));
}

TEST_F(NotifierTest, AManagerThatDoesNotReadBlocksNobody) {
  const Manager manager((folder_ / "notify").string());
  const Notifier notifier;
  for (int i = 0; i < 10'000; ++i) notifier.status("x");
  EXPECT_EQ(manager.next(), "STATUS=x");
}

}  // namespace
}  // namespace whawty
