// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Carries bytes between the actuator and libvirtd, frame by frame, as the gate says. No descriptor that comes
// with them is taken: read(2) leaves it to the kernel to close.
#pragma once

#include <optional>
#include <string>

#include "common/fd.h"
#include "gate/gate.h"

namespace whawty {

class Relay {
 public:
  // The heartbeat: each byte that comes is sent back. The socket at which the actuator connects, and the
  // connection to libvirtd.
  Relay(Gate gate, Fd heartbeat, Fd listener, Fd libvirtd);

  // Serves until the supervisor or the actuator closes its end (PeerClosed), libvirtd does
  // (std::runtime_error), the actuator tries what may not pass (Refused), or one side sends what is no
  // message (Malformed).
  [[noreturn]] void serve();

 private:
  // A connection: what was read of it and is no whole frame yet, and what it has yet to take.
  struct Side {
    Fd socket;
    std::string in = {};
    std::string out = {};
  };

  void wait();
  void accept();
  void from_client();
  void from_server();
  void write_receipts();
  static bool receive(Side& side, std::size_t part);
  static void send(Side& side);

  Gate gate_;
  const Fd heartbeat_;
  const Fd listener_;
  Side client_;  // none at first
  Side server_;
};

// Sends a byte of the heartbeat back, if one has come. Throws PeerClosed.
void answer_heartbeat(const Fd& heartbeat);

}  // namespace whawty
