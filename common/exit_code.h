// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// How a worker tells its supervisor, by its exit code, why it ended. The daemon's own are in
// supervisor/main.cpp.
#pragma once

namespace whawty {

enum ExitCode : int {
  kExitPeerClosed = 0,  // its peer closed the channel: the generation ends
  kExitFailure = 1,     // something that a fresh generation may mend: libvirt gone, a violated protocol
  kExitUnsealed = 3,    // a step of the sandbox failed: starting again would not help
};

}  // namespace whawty
