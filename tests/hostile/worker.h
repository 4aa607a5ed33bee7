// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A sealed worker whose peers are the test: started as its supervisor does, with its log and its memory in
// view.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/descriptors.h"
#include "common/fd.h"
#include "protocol/channel.h"
#include "tests/process.h"

namespace whawty::hostile {

// The test's end of a channel: sends and receives whatever it likes.
class Peer {
 public:
  explicit Peer(Fd socket) : socket_(std::move(socket)) {}

  // Waits for room. False if the worker is no longer there, or takes nothing for that long.
  bool send(const Datagram& datagram, const std::vector<int>& descriptors = {}, int milliseconds = 10'000);

  // The next datagram. Nothing if none comes in time, or none can come.
  std::optional<Datagram> receive(int milliseconds = 10'000);

  void close() { socket_.reset(); }

 private:
  Fd socket_;
};

class Worker : public Process {
 public:
  // Starts it with so many channels, from descriptor kFirstPassed on, and waits until it is sealed.
  Worker(const std::string& program, std::size_t channels, std::vector<std::string> arguments = {});

  // The channel at that descriptor.
  Peer& peer(int number) { return peers_.at(static_cast<std::size_t>(number - kFirstPassed)); }

  // Closes the channels and waits for its end, as wait() does.
  int end();

  // KiB that it took at most beyond those when it was sealed, and the processor time. After its end. The
  // kernel counts the peak from the fork on, with what the test took then.
  long growth() const { return usage().ru_maxrss - at_seal_; }
  long cpu_milliseconds() const;

 private:
  std::vector<Peer> peers_;
  long at_seal_ = 0;
};

// What a worker may grow by, whatever its peers do.
inline constexpr long kMaxGrowth = 32 * 1024;  // KiB

}  // namespace whawty::hostile
