// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/journal.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "common/descriptors.h"
#include "common/fd.h"
#include "common/log.h"

namespace whawty {

bool open_journal(const std::string& path) {
  sockaddr_un address{AF_UNIX, {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  // A journal that takes nothing must not stop the work that it is told of.
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw std::system_error(errno, std::generic_category(), "socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  if (::dup3(socket.get(), kJournal, O_CLOEXEC) < 0)
    throw std::system_error(errno, std::generic_category(), "the journal's descriptor");
  log::record_to(kJournal);
  return true;
}

}  // namespace whawty
