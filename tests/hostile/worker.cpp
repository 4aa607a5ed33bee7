// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/hostile/worker.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "common/bounds.h"
#include "common/landlock.h"

namespace whawty::hostile {

bool Peer::send(const Datagram& datagram, const std::vector<int>& descriptors, int milliseconds) {
  iovec part{const_cast<std::byte*>(datagram.data()), datagram.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t length = descriptors.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(length);
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(length);
    std::memcpy(CMSG_DATA(rights), descriptors.data(), length);
  }
  while (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno != EAGAIN && errno != EINTR) return false;
    pollfd room{socket_.get(), POLLOUT, 0};
    if (::poll(&room, 1, milliseconds) == 0) return false;
  }
  return true;
}

std::optional<Datagram> Peer::receive(int milliseconds) {
  pollfd input{socket_.get(), POLLIN, 0};
  if (::poll(&input, 1, milliseconds) != 1) return std::nullopt;
  Datagram datagram(kMaxDatagram);
  const ssize_t length = ::recv(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
  if (length <= 0) return std::nullopt;
  datagram.resize(static_cast<std::size_t>(length));
  return datagram;
}

Worker::Worker(const std::string& program, std::size_t channels, std::vector<std::string> arguments)
    : Process(program, Log::kFile) {
  if (!landlock_is_there()) arguments.emplace_back("--without-landlock");
  environment = {{"SYSTEMD_DEVICE_VERIFY_SYSFS", "0"}};  // libudev, too, is told that the test's sysfs is one
  std::vector<Fd> theirs;
  for (std::size_t i = 0; i < channels; ++i) {
    auto [mine, other] = Channel::pair();
    peers_.emplace_back(std::move(mine));
    descriptors.push_back(other.get());
    theirs.push_back(std::move(other));
  }
  start(arguments);
  if (!is_sealed(pid())) throw std::runtime_error(program + " does not come up sealed");
  at_seal_ = std::stol(status("VmRSS"));
}

int Worker::end() {
  for (Peer& peer : peers_) peer.close();
  return wait();
}

long Worker::cpu_milliseconds() const {
  const auto milliseconds = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
  return milliseconds(usage().ru_utime) + milliseconds(usage().ru_stime);
}

}  // namespace whawty::hostile
