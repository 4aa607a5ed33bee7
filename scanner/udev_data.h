// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What libudev does not tell about /run/udev: an error there looks to it like a device without a record, or
// like a host without udevd. All throw std::system_error for one that means neither.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <optional>
#include <utility>

namespace whawty {

bool udevd_runs();

// Whether it runs, and has processed all events that it has.
bool udevd_is_idle();

// When udevd wrote, or removed, a record last: it puts each in place as a whole. Nothing if there are none.
std::optional<std::timespec> last_change_of_records();

// What is wrong with udev's record of the device of that number: 0 when it can be read, ENOENT when there is
// none, else another errno. Does not throw.
int record_error(dev_t device);

// /run/udev as it was at the start. Landlock lets this process read that folder and no other of its name.
class UdevFolder {
 public:
  // Throws std::runtime_error, too, when there is another one now: a fresh process can read it.
  void expect_same() const;

 private:
  using Identity = std::optional<std::pair<dev_t, ino_t>>;  // nothing: there is no such folder
  static Identity identity();

  Identity at_start_ = identity();
};

}  // namespace whawty
