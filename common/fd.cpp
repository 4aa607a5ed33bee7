// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace whawty {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() {
  // close(2) releases the number even when it reports an error, so there is nothing left to handle.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Fd take_fd(int number) {
  if (::fcntl(number, F_SETFD, FD_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(),
                            "descriptor " + std::to_string(number) + " from the supervisor");
  return Fd(number);
}

}  // namespace whawty
