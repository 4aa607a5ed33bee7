// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/channel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <set>
#include <system_error>

#include "common/bounds.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

Datagram bytes(std::size_t size, unsigned char value = 7) {
  return Datagram(size, std::byte{value});
}

std::set<int> open_descriptors() {
  std::set<int> numbers;
  for (int number = 0; number < 256; ++number)
    if (::fcntl(number, F_GETFD) >= 0) numbers.insert(number);
  return numbers;
}

class ChannelTest : public testing::Test {
 protected:
  ChannelTest() : ChannelTest(Channel::pair()) {}

  // Sends as a peer would who does not keep to any rule.
  void send_raw(std::size_t size, const std::vector<int>& descriptors = {}) {
    const Datagram datagram = bytes(size);
    iovec part{const_cast<std::byte*>(datagram.data()), datagram.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
      cmsghdr* const rights = CMSG_FIRSTHDR(&message);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
      std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size() * sizeof(int));
    }
    ASSERT_EQ(::sendmsg(raw_, &message, 0), static_cast<ssize_t>(size));
  }

  // Fills the channel until something is queued; returns how many datagrams it took.
  std::size_t fill(std::size_t size) {
    std::size_t count = 0;
    for (; sender_->queue_empty(); ++count) sender_->send(bytes(size, static_cast<unsigned char>(count)));
    return count;
  }

  std::optional<Channel> sender_;
  std::optional<Channel> receiver_;
  int raw_;

 private:
  explicit ChannelTest(std::pair<Fd, Fd> ends)
      : sender_(std::move(ends.first)), receiver_(std::move(ends.second)), raw_(sender_->fd()) {}
};

TEST_F(ChannelTest, APairIsClosedAtExecAndKeepsDatagramsApart) {
  const auto [first, second] = Channel::pair();
  for (const Fd* const end : {&first, &second}) {
    EXPECT_EQ(::fcntl(end->get(), F_GETFD), FD_CLOEXEC);
    int type = 0;
    socklen_t size = sizeof type;
    ASSERT_EQ(::getsockopt(end->get(), SOL_SOCKET, SO_TYPE, &type, &size), 0);
    EXPECT_EQ(type, SOCK_SEQPACKET);
  }
}

TEST_F(ChannelTest, NothingWaitsAtFirst) {
  Received received;
  EXPECT_FALSE(receiver_->receive(received));
  EXPECT_EQ(receiver_->poll_events(), POLLIN);
  EXPECT_TRUE(receiver_->queue_empty());
}

TEST_F(ChannelTest, DatagramsArriveWholeAndInOrder) {
  sender_->send(bytes(1, 1));
  sender_->send(bytes(kMaxDatagram, 2));
  sender_->send(bytes(3, 3));
  Received received;
  for (const auto& expected : {bytes(1, 1), bytes(kMaxDatagram, 2), bytes(3, 3)}) {
    ASSERT_TRUE(receiver_->receive(received));
    EXPECT_EQ(received.datagram, expected);
    EXPECT_FALSE(received.attached);
  }
  EXPECT_FALSE(receiver_->receive(received));
}

TEST_F(ChannelTest, ADescriptorArrivesClosedAtExec) {
  struct stat sent = {};
  ASSERT_EQ(::stat("/dev/zero", &sent), 0);
  sender_->send(bytes(1), Fd(::open("/dev/zero", O_RDONLY)));
  sender_->send(bytes(1));
  Received received;
  ASSERT_TRUE(receiver_->receive(received));
  struct stat arrived = {};
  ASSERT_EQ(::fstat(received.attached.get(), &arrived), 0);
  EXPECT_EQ(arrived.st_rdev, sent.st_rdev);
  EXPECT_EQ(::fcntl(received.attached.get(), F_GETFD), FD_CLOEXEC);
  // The next datagram has none, and the last one's is closed with it.
  const int number = received.attached.get();
  ASSERT_TRUE(receiver_->receive(received));
  EXPECT_FALSE(received.attached);
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST_F(ChannelTest, TheSenderKeepsNoDescriptorOpen) {
  const std::set<int> before = open_descriptors();
  sender_->send(bytes(1), Fd(::open("/dev/zero", O_RDONLY)));
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ChannelTest, ADatagramThatIsTooLongIsAViolation) {
  send_raw(kMaxDatagram + 1);
  Received received;
  EXPECT_THROW(receiver_->receive(received), Violation);
}

TEST_F(ChannelTest, TwoDescriptorsAreAViolationAndNoneStaysOpen) {
  const std::set<int> before = open_descriptors();
  for (const auto& descriptors : {std::vector<int>{0, 0}, std::vector<int>{0, 0, 0, 0, 0, 0, 0, 0}}) {
    send_raw(8, descriptors);
    {
      Received received;
      EXPECT_THROW(receiver_->receive(received), Violation) << descriptors.size();
    }
    EXPECT_EQ(open_descriptors(), before) << descriptors.size();
  }
}

TEST_F(ChannelTest, WhatWasSentBeforeTheEndIsReadBeforeIt) {
  sender_->send(bytes(5));
  sender_.reset();
  Received received;
  EXPECT_TRUE(receiver_->receive(received));
  EXPECT_THROW(receiver_->receive(received), PeerClosed);
}

TEST_F(ChannelTest, APeerThatClosesWithUnreadDatagramsHasClosed) {
  receiver_->send(bytes(5));
  sender_.reset();
  Received received;
  EXPECT_THROW(receiver_->receive(received), PeerClosed);
}

TEST_F(ChannelTest, SendingToAClosedPeerSaysSoAndKillsNobody) {
  receiver_.reset();
  EXPECT_THROW(sender_->send(bytes(5)), PeerClosed);
}

TEST_F(ChannelTest, WhatAFullChannelDoesNotTakeIsQueuedAndFlushedInOrder) {
  const std::size_t count = fill(16 * 1024) + 3;
  for (std::size_t i = count - 3; i < count; ++i)
    sender_->send(bytes(16 * 1024, static_cast<unsigned char>(i)));
  EXPECT_EQ(sender_->poll_events(), POLLIN | POLLOUT);
  pollfd room{sender_->fd(), POLLOUT, 0};
  EXPECT_EQ(::poll(&room, 1, 0), 0);
  Received received;
  std::size_t arrived = 0;
  while (arrived < count) {
    if (receiver_->receive(received)) {
      ASSERT_EQ(received.datagram, bytes(16 * 1024, static_cast<unsigned char>(arrived)));
      ++arrived;
      continue;
    }
    ASSERT_EQ(::poll(&room, 1, 0), 1) << "POLLOUT announces room";
    sender_->flush();
  }
  sender_->flush();
  EXPECT_TRUE(sender_->queue_empty());
  EXPECT_EQ(sender_->poll_events(), POLLIN);
  EXPECT_FALSE(receiver_->receive(received));
}

TEST_F(ChannelTest, AQueuedDescriptorArrivesWithItsDatagram) {
  fill(32 * 1024);
  sender_->send(bytes(1, 99), Fd(::open("/dev/zero", O_RDONLY)));
  Received received;
  do {
    sender_->flush();
    ASSERT_TRUE(receiver_->receive(received));
    EXPECT_EQ(static_cast<bool>(received.attached), received.datagram.size() == 1);
  } while (received.datagram.size() != 1);
}

TEST_F(ChannelTest, TheQueueHasABound) {
  fill(32 * 1024);
  for (std::size_t i = 1; i < kMaxQueued; ++i) sender_->send(bytes(1));
  EXPECT_THROW(sender_->send(bytes(1)), Violation);
}

TEST_F(ChannelTest, FlushingToAClosedPeerSaysSo) {
  fill(32 * 1024);
  receiver_.reset();
  EXPECT_THROW(sender_->flush(), PeerClosed);
}

TEST(ChannelConstructorTest, WithoutADescriptorItFails) {
  EXPECT_THROW(Channel{Fd()}, std::system_error);
}

}  // namespace
}  // namespace whawty
