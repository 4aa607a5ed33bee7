// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A libvirtd that takes connections and says nothing.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

#include "tests/temporary_folder.h"
#include "tests/unix_socket.h"

namespace whawty {

class ListeningSocket {
 public:
  ListeningSocket() {
    if (!bind_to(socket_, path_) || ::listen(socket_.get(), 4) != 0)
      throw std::system_error(errno, std::generic_category(), path_);
  }

  std::string uri() const { return "qemu:///system?socket=" + path_; }

 private:
  const TemporaryFolder folder_;
  const std::string path_ = folder_.path / "libvirtd";
  Fd socket_ = stream();
};

}  // namespace whawty
