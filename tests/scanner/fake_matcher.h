// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The other end of the scanner's channel.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/fd.h"
#include "protocol/channel.h"
#include "protocol/scanner_to_matcher.h"

namespace whawty::fake {

class Matcher {
 public:
  explicit Matcher(Fd end) : channel_(std::move(end)) {}

  // The next message, but for that it is awake. Throws std::runtime_error when none comes within some
  // seconds, PeerClosed when none can.
  ScannerMessage next();

  // The next message, which must be of this kind. Throws std::bad_variant_access.
  template <class Message>
  Message expect() {
    return std::get<Message>(next());
  }

  // The devices of the next messages, which must be a whole snapshot.
  std::vector<Device> snapshot();

  // True if nothing comes for that long.
  bool quiet(int milliseconds);

  void send(Datagram datagram) { channel_.send(std::move(datagram)); }
  void rescan();
  void check();
  void ping();

  // How often it said that it is awake, which the others leave out.
  int awake() const { return awake_; }

 private:
  Channel channel_;
  std::optional<ScannerMessage> next_;
  int awake_ = 0;
};

// Their sysfs names, in order.
std::vector<std::string> sysnames(const std::vector<Device>& devices);

}  // namespace whawty::fake
