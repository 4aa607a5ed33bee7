// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The service manager is told how the daemon is. Protocol: sd_notify(3), one datagram to $NOTIFY_SOCKET.
#pragma once

#include <string>

#include "common/fd.h"

namespace whawty {

class Notifier {
 public:
  // Does nothing from then on when NOTIFY_SOCKET is not in the environment.
  Notifier();

  void ready() const { send("READY=1"); }
  void reloading() const;
  void watchdog() const { send("WATCHDOG=1"); }
  void stopping() const { send("STOPPING=1"); }
  void status(const std::string& text) const { send("STATUS=" + text); }

 private:
  void send(const std::string& state) const;

  Fd socket_;
};

}  // namespace whawty
