// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The kernel's messages about network interfaces and routes, read only as a sign that something changed:
// rtnetlink(7).
#pragma once

#include "common/fd.h"

namespace whawty {

class RouteMonitor {
 public:
  // Listens from here on, on a socket that is descriptor `number`, which must be free: the sandbox knows it
  // by that. Throws std::system_error.
  explicit RouteMonitor(int number);

  // Readable when something changed since the last call of drain.
  int fd() const { return socket_.get(); }

  // Throws away what came. Never waits. Throws std::system_error.
  void drain();

 private:
  Fd socket_;
};

}  // namespace whawty
