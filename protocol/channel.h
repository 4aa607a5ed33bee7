// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A Unix socketpair of type SOCK_SEQPACKET: one message a datagram, kept whole and in order by the kernel.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "common/fd.h"
#include "common/peer_closed.h"

namespace whawty {

using Datagram = std::vector<std::byte>;

struct Received {
  Datagram datagram;
  Fd attached;  // the descriptor that came with it, if one did
};

class Channel {
 public:
  // Takes a connected socket of that type and makes it non-blocking.
  explicit Channel(Fd socket);

  // Two connected sockets, close-on-exec. Throws std::system_error.
  static std::pair<Fd, Fd> pair();

  // Reads the next datagram into received; false if none is waiting. Throws PeerClosed at the end, Violation
  // for a datagram that is longer than kMaxDatagram or carries more than one descriptor.
  bool receive(Received& received);

  // Sends, or queues what the socket does not take now. Throws PeerClosed, and Violation when more than
  // kMaxQueued datagrams wait for a peer that does not read.
  void send(Datagram datagram, Fd attached = {});

  // Sends of the queue what the socket takes now. Throws PeerClosed.
  void flush();

  int fd() const { return socket_.get(); }
  bool queue_empty() const { return queue_.empty(); }

  // What to wait for with poll(2): always input, and output while something is queued.
  short poll_events() const;

 private:
  bool send_now(const Datagram& datagram, const Fd& attached) const;

  Fd socket_;
  std::deque<Received> queue_;
};

}  // namespace whawty
