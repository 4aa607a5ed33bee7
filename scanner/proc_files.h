// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The lists of the kernel in /proc that say what the host uses, and its count of events in /sys: opened
// before the seal, read again after it.
#pragma once

#include <optional>
#include <string>

#include "common/fd.h"

namespace whawty {

class ProcFiles {
 public:
  // Opens the lists below that folder. A list that the kernel does not have counts as empty; without the one
  // of mounts nothing can be known. The log says what is not there but should be. Mounts, if given, is used
  // instead of self/mountinfo, which shows the mount namespace of this process only. Throws
  // std::system_error.
  explicit ProcFiles(const std::string& folder = "/proc", Fd mounts = {});

  // The whole list as it is now; nothing if it cannot be read or is longer than kMaxProcList.
  std::optional<std::string> mounts() const;
  std::optional<std::string> swaps() const;
  std::optional<std::string> routes() const;       // IPv4
  std::optional<std::string> ipv6_routes() const;  // IPv6

  // How many events the kernel has sent, for devices of all subsystems. Nothing if it does not tell.
  // https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-kernel-uevents
  std::optional<std::string> count_of_events() const;

  // To be waited for with POLLPRI: the list has changed. Or -1.
  int mounts_fd() const { return mounts_.get(); }
  int swaps_fd() const { return swaps_.get(); }

 private:
  Fd mounts_;
  Fd swaps_;
  Fd routes_;
  Fd ipv6_routes_;
  Fd count_of_events_;
};

}  // namespace whawty
