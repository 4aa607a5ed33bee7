// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "common/bounds.h"
#include "common/text.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Room for one descriptor in a control message, aligned as the kernel wants it.
union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

Fd attached_descriptor(msghdr& message) {
  Fd attached;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    int number = -1;
    std::memcpy(&number, CMSG_DATA(part), sizeof number);
    attached = Fd(number);
  }
  return attached;
}

}  // namespace

Channel::Channel(Fd socket) : socket_(std::move(socket)) {
  const int flags = ::fcntl(socket_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK) != 0) fail("channel");
}

std::pair<Fd, Fd> Channel::pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
  return {Fd(ends[0]), Fd(ends[1])};
}

bool Channel::receive(Received& received) {
  received.datagram.resize(kMaxDatagram);
  iovec part{received.datagram.data(), received.datagram.size()};
  Control control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  // Not CMSG_SPACE: its padding would hold a second descriptor.
  message.msg_controllen = CMSG_LEN(sizeof(int));
  ssize_t length = 0;
  do length = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  while (length < 0 && errno == EINTR);
  if (length < 0 && errno == EAGAIN) return false;
  if (length < 0 && errno != ECONNRESET) fail("recvmsg");
  // An empty datagram, which no correct peer sends, cannot be told from the end.
  if (length <= 0) throw PeerClosed{};
  received.attached = attached_descriptor(message);
  if ((message.msg_flags & MSG_TRUNC) != 0)
    throw Violation(concat("a datagram longer than ", size_text(kMaxDatagram)));
  if ((message.msg_flags & MSG_CTRUNC) != 0) throw Violation("a datagram with more than one descriptor");
  received.datagram.resize(static_cast<std::size_t>(length));
  return true;
}

bool Channel::send_now(const Datagram& datagram, const Fd& attached) const {
  iovec part{const_cast<std::byte*>(datagram.data()), datagram.size()};
  Control control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (attached) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = attached.get();
    std::memcpy(CMSG_DATA(rights), &number, sizeof number);
  }
  ssize_t length = 0;
  do length = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  while (length < 0 && errno == EINTR);
  if (length >= 0) return true;
  if (errno == EPIPE || errno == ECONNRESET) throw PeerClosed{};
  if (errno != EAGAIN && errno != ENOBUFS) fail("sendmsg");
  return false;
}

void Channel::send(Datagram datagram, Fd attached) {
  if (queue_.empty() && send_now(datagram, attached)) return;
  if (queue_.size() >= kMaxQueued) throw Violation("a peer that does not read");
  queue_.push_back({std::move(datagram), std::move(attached)});
}

void Channel::flush() {
  while (!queue_.empty() && send_now(queue_.front().datagram, queue_.front().attached)) queue_.pop_front();
}

short Channel::poll_events() const {
  return static_cast<short>(queue_.empty() ? POLLIN : POLLIN | POLLOUT);
}

}  // namespace whawty
