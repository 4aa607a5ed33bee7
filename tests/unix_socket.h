// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Unix sockets by their paths, and bytes to and from streams of them.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "common/fd.h"

namespace whawty {

inline Fd stream() {
  return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

inline sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{AF_UNIX, {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

// False, with errno.
inline bool bind_to(const Fd& socket, const std::string& path) {
  const auto address = address_of(path);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

inline bool connect_to(const Fd& socket, const std::string& path) {
  const auto address = address_of(path);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

inline bool is_readable(const Fd& fd, int milliseconds) {
  pollfd wait{fd.get(), POLLIN, 0};
  return ::poll(&wait, 1, milliseconds) > 0;
}

// What comes of so many bytes, or until the end, or ten seconds without any.
inline std::string read_from(const Fd& fd, std::size_t size) {
  std::string bytes;
  while (bytes.size() < size && is_readable(fd, 10'000)) {
    char part[65536];
    const ssize_t length = ::read(fd.get(), part, std::min(sizeof part, size - bytes.size()));
    if (length <= 0) break;
    bytes.append(part, static_cast<std::size_t>(length));
  }
  return bytes;
}

inline bool write_to(const Fd& fd, const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t length = ::send(fd.get(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (length <= 0) return false;
    done += static_cast<std::size_t>(length);
  }
  return true;
}

}  // namespace whawty
