// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Keeps the matcher informed of the host's USB devices. Events and requests only say when to look: what is
// told is what sysfs and the udev data say at that moment.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/line_limit.h"
#include "protocol/channel.h"
#include "protocol/device.h"
#include "scanner/monitor.h"

namespace whawty {

class Scanner {
 public:
  // The monitor hears events since before the first snapshot, so that none falls between the two.
  Scanner(udev* udev, Monitor& monitor, Channel& matcher)
      : udev_(udev), monitor_(monitor), matcher_(matcher) {}

  // Tells all devices at once, then what changes, and all again when asked to or when events were lost. Ends
  // only by PeerClosed, Violation or std::system_error.
  [[noreturn]] void serve();

 private:
  void wait_and_work();
  void answer_request();
  void follow_events();
  void send_snapshot();
  void look(const std::string& sysname);
  std::optional<Device> read(const std::string& sysname);
  void fit(Device& device);
  void tell(const Device& device);
  void warn(const std::string& subject, const std::string& line);
  void warn_of_too_many();
  void say_left_out();
  void forget(std::map<std::string, Device>::iterator known);

  udev* udev_;
  Monitor& monitor_;
  Channel& matcher_;
  std::map<std::string, Device> told_;             // what the matcher knows, by sysfs name
  std::map<std::string, std::string> complaints_;  // what the log has been told, by sysfs name
  std::size_t footprint_ = 0;                      // of the devices told
  LineLimit lines_;
  bool room_logged_ = false;
  bool loss_logged_ = false;
  bool limit_logged_ = false;
};

}  // namespace whawty
