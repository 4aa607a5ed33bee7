// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/gate_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "common/identity.h"
#include "tests/process.h"
#include "tests/temporary_folder.h"
#include "tests/unix_socket.h"

namespace whawty {
namespace {

class GateSocketTest : public testing::Test {
 protected:
  // The error of connecting to what is behind the descriptor, or 0.
  static int error_of_connecting(const Fd& place) {
    return connect_to(stream(), "/proc/self/fd/" + std::to_string(place.get())) ? 0 : errno;
  }

  std::filesystem::path folder() const { return folder_.path / (::geteuid() == 0 ? "gate-of-root" : "gate"); }

  const TemporaryFolder folder_;
  const Fd opened_ = gate_folder(folder_.path);
};

TEST_F(GateSocketTest, HasNoNameAndIsReachedByItsPlace) {
  const GateSocket made = gate_socket(opened_);
  EXPECT_TRUE(std::filesystem::is_empty(folder()));
  EXPECT_EQ(error_of_connecting(made.place), 0);
  const Fd accepted(::accept(made.listener.get(), nullptr, nullptr));
  EXPECT_TRUE(accepted);
}

TEST_F(GateSocketTest, AnotherUserReachesItByItsPlaceWhateverTheFolderAndTheUmaskSay) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become other users";
  const mode_t mask = ::umask(077);
  const GateSocket made = gate_socket(opened_);
  EXPECT_EQ(::umask(mask), 077U) << "it is as it was";
  EXPECT_EQ(in_child([&] {
              constexpr uid_t kNobody = 65534;
              become({kNobody, kNobody, {}});
              return error_of_connecting(made.place);
            }),
            0);
}

TEST_F(GateSocketTest, TwoAreNotTheSame) {
  const GateSocket first = gate_socket(opened_);
  GateSocket second = gate_socket(opened_);
  second.listener.reset();
  EXPECT_EQ(error_of_connecting(first.place), 0);
  EXPECT_EQ(error_of_connecting(second.place), ECONNREFUSED) << "nobody listens there any more";
}

TEST_F(GateSocketTest, WhatAKilledSupervisorLeftIsInNobodysWay) {
  std::ofstream(folder() / "socket") << "left";
  EXPECT_EQ(error_of_connecting(gate_socket(opened_).place), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder()));
}

TEST_F(GateSocketTest, ItsFolderIsThereFromThenOnAndNobodyElses) {
  struct stat status = {};
  ASSERT_EQ(::stat(folder().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  EXPECT_TRUE(gate_folder(folder_.path));
}

// Root by hand, when the service has made the folder above, and root may no longer pass by any folder.
TEST_F(GateSocketTest, WhoeverMaySearchTheFolderAboveItCanBeMade) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(::chown(folder_.path.c_str(), kNobody, kNobody), 0);
  ASSERT_EQ(::chmod(folder_.path.c_str(), 0700), 0);
  EXPECT_EQ(in_child([&] {
              keep_capabilities(0);
              return error_of_connecting(gate_socket(opened_).place);
            }),
            0);
}

// As systemd does with all that is in the service's folder.
TEST_F(GateSocketTest, AFolderThatWasGivenToTheServicesUserIsMadeAnew) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(::chown(folder().c_str(), kNobody, kNobody), 0);
  struct stat status = {};
  ASSERT_EQ(::fstat(gate_folder(folder_.path).get(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U);
}

TEST_F(GateSocketTest, AFolderThatOthersMayHaveMadeIsRefused) {
  std::ofstream(folder() / "left");
  std::filesystem::permissions(folder(), std::filesystem::perms::all);
  EXPECT_THROW(gate_folder(folder_.path), std::runtime_error);
  std::filesystem::remove_all(folder());
  std::filesystem::create_symlink(folder_.path, folder());
  EXPECT_THROW(gate_folder(folder_.path), std::system_error);
  EXPECT_THROW(gate_folder(folder_.path / "none"), std::system_error);
}

}  // namespace
}  // namespace whawty
