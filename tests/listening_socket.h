// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A libvirtd that takes connections and says nothing.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "common/fd.h"
#include "tests/temporary_folder.h"

namespace whawty {

class ListeningSocket {
 public:
  ListeningSocket() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket_.get(), 4) != 0)
      throw std::system_error(errno, std::generic_category(), path_);
  }

  std::string uri() const { return "qemu:///system?socket=" + path_; }

 private:
  const TemporaryFolder folder_;
  const std::string path_ = folder_.path / "libvirtd";
  Fd socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

}  // namespace whawty
