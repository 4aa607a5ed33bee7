// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/notifier.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#include "common/log.h"

namespace whawty {

Notifier::Notifier() {
  const char* const variable = std::getenv("NOTIFY_SOCKET");
  if (variable == nullptr || *variable == '\0') return;
  const std::string_view path = variable;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    log::warning("NOTIFY_SOCKET is too long: systemd hears nothing");
    return;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
  socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) return;
  log::warning("NOTIFY_SOCKET: ", std::strerror(errno), ": systemd hears nothing");
  socket_.reset();
}

void Notifier::reloading() const {
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  send(concat("RELOADING=1\nMONOTONIC_USEC=", now.tv_sec * 1'000'000 + now.tv_nsec / 1'000));
}

void Notifier::send(const std::string& state) const {
  // What systemd does not take is lost, as with sd_notify: the next status tells the same and more.
  if (socket_) [[maybe_unused]]
    const ssize_t sent = ::send(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL);
}

}  // namespace whawty
