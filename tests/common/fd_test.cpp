// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <system_error>

namespace whawty {
namespace {

int open_null() {
  return ::open("/dev/null", O_RDONLY);
}
bool is_open(int number) {
  return ::fcntl(number, F_GETFD) >= 0;
}

TEST(FdTest, OwnsNothingAtFirst) {
  const Fd fd;
  EXPECT_FALSE(fd);
  EXPECT_EQ(fd.get(), -1);
}

TEST(FdTest, ClosesWhatItOwns) {
  const int number = open_null();
  {
    const Fd fd(number);
    EXPECT_TRUE(fd);
    EXPECT_EQ(fd.get(), number);
  }
  EXPECT_FALSE(is_open(number));
}

TEST(FdTest, OwnsDescriptorZeroToo) {
  const int saved = ::dup(STDIN_FILENO);
  ::close(STDIN_FILENO);
  {
    const Fd fd(open_null());
    EXPECT_EQ(fd.get(), 0);
    EXPECT_TRUE(fd);
  }
  EXPECT_FALSE(is_open(0));
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
}

TEST(FdTest, MovingHandsOver) {
  const int number = open_null();
  Fd first(number);
  Fd second(std::move(first));
  EXPECT_FALSE(first);
  EXPECT_EQ(second.get(), number);
  const int other = open_null();
  Fd third(other);
  third = std::move(second);
  EXPECT_FALSE(is_open(other));
  EXPECT_EQ(third.get(), number);
  EXPECT_TRUE(is_open(number));
  Fd& self = third;
  third = std::move(self);
  EXPECT_TRUE(is_open(number));
}

TEST(FdTest, ReleaseGivesItAway) {
  Fd fd(open_null());
  const int number = fd.release();
  EXPECT_FALSE(fd);
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(FdTest, ResetClosesNow) {
  Fd fd(open_null());
  const int number = fd.get();
  fd.reset();
  fd.reset();
  EXPECT_FALSE(is_open(number));
}

TEST(TakeFdTest, MarksItCloseOnExec) {
  const int number = open_null();
  ASSERT_EQ(::fcntl(number, F_GETFD), 0);
  const Fd fd = take_fd(number);
  EXPECT_EQ(fd.get(), number);
  EXPECT_EQ(::fcntl(number, F_GETFD), FD_CLOEXEC);
}

TEST(TakeFdTest, NamesADescriptorThatIsNotThere) {
  try {
    take_fd(1000);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_STREQ(error.what(), "descriptor 1000 from the supervisor: Bad file descriptor");
  }
}

}  // namespace
}  // namespace whawty
