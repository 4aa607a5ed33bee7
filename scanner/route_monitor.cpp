// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/route_monitor.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace whawty {
namespace {

constexpr int kMaxMessages = 1024;  // in one go; the rest is a sign, too

void check(bool done) {
  if (!done) throw std::system_error(errno, std::generic_category(), "rtnetlink");
}

Fd socket_at(int number) {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  check(static_cast<bool>(socket));
  if (socket.get() == number) return socket;
  // Not dup2(2), which would close what is there.
  Fd placed(::fcntl(socket.get(), F_DUPFD_CLOEXEC, number));
  check(static_cast<bool>(placed));
  if (placed.get() != number)
    throw std::system_error(EBUSY, std::generic_category(), "rtnetlink's descriptor");
  return placed;
}

}  // namespace

RouteMonitor::RouteMonitor(int number) : socket_(socket_at(number)) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  check(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

void RouteMonitor::drain() {
  for (int count = 0; count < kMaxMessages; ++count) {
    char first = 0;  // the kernel throws away what does not fit
    if (::recv(socket_.get(), &first, 1, MSG_DONTWAIT) >= 0 || errno == EINTR || errno == ENOBUFS) continue;
    check(errno == EAGAIN);
    return;
  }
}

}  // namespace whawty
