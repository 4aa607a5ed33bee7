// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A sealed worker whose peers are the test: started as its supervisor does, with its log and its memory in
// view.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "common/descriptors.h"
#include "common/fd.h"
#include "protocol/channel.h"

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

class Worker {
 public:
  // Starts it with so many channels, from descriptor kFirstPassed on, and waits until it is sealed.
  Worker(const std::string& program, std::size_t channels, std::vector<std::string> arguments = {});
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // The channel at that descriptor.
  Peer& peer(int number) { return peers_.at(static_cast<std::size_t>(number - kFirstPassed)); }

  bool runs();

  // Closes the channels that are left and waits for its end: its exit code, the negative number of the signal
  // that killed it, or 1000 if it had to be killed because it did not end within seconds. To be called first
  // when it is to end of itself: then it has some seconds before the channels are closed.
  int end_of_itself();
  int end();

  // What it logged, line by line.
  std::vector<std::string> log() const;

  // KiB that it took at most beyond those when it was sealed. After its end.
  long growth() const { return peak_ - at_seal_; }

  // The processor time that it took. After its end.
  long cpu_milliseconds() const { return cpu_milliseconds_; }

 private:
  bool reap(int milliseconds);
  long memory(const std::string& line) const;

  Fd log_;
  std::vector<Peer> peers_;
  pid_t pid_ = 0;
  int exit_ = 0;
  long at_seal_ = 0;
  long peak_ = 0;
  long cpu_milliseconds_ = 0;
};

// What a worker may grow by, whatever its peers do.
inline constexpr long kMaxGrowth = 32 * 1024;  // KiB

}  // namespace whawty::hostile
