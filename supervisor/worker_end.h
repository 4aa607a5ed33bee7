// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// How a worker ended.
#pragma once

#include <string>

namespace whawty {

struct WorkerEnd {
  bool unsealed = false;  // it could not seal itself
  std::string cause;      // empty for one that ended because a peer had, or by our own hand
};

// Of a status as waitpid(2) gives it.
WorkerEnd end_of(int status, bool killed_by_us);

}  // namespace whawty
