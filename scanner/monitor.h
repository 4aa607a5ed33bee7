// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// udev's events of USB devices, and of what the host may use them by, read as hints where to look.
#pragma once

#include <set>
#include <string>

#include "scanner/udev.h"
#include "scanner/udev_data.h"

namespace whawty {

struct Hints {
  std::set<std::string> sysnames;    // devices that something happened to
  std::set<std::string> interfaces;  // devices of which an interface came, left, or has another driver
  bool of_host = false;              // something by which the host may use a device came, changed or left
  bool lost = false;                 // events were lost: anything may have happened to any device
};

class Monitor {
 public:
  // Listens from here on to what udevd has processed, whatever the action, on a socket that is descriptor
  // `number`, which must be free: the sandbox knows it by that. Throws std::system_error, or
  // std::runtime_error: it got another one.
  Monitor(udev* udev, int number);

  int fd() const { return udev_monitor_get_fd(monitor_.get()); }

  // What happened since the last call, at most kMaxEvents of it; never waits. Throws std::system_error, and
  // what expect_same_udev throws.
  Hints take();

  // Throws when /run/udev is another folder than at the start; see UdevFolder.
  void expect_same_udev() const { folder_.expect_same(); }

  static constexpr int kMaxEvents = 1024;

 private:
  UdevMonitor monitor_;
  UdevFolder folder_;
};

}  // namespace whawty
