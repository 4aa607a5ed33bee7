// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "fake_matcher.h"

#include <poll.h>

#include <stdexcept>
#include <utility>

#include "protocol/matcher_to_scanner.h"

namespace whawty::fake {

ScannerMessage Matcher::next() {
  Received received;
  while (!channel_.receive(received))
    if (quiet(20'000)) throw std::runtime_error("the scanner says nothing");
  return decode_scanner_message(received.datagram);
}

std::vector<Device> Matcher::snapshot() {
  expect<SnapshotBegin>();
  std::vector<Device> devices;
  for (;;) {
    ScannerMessage message = next();
    if (std::holds_alternative<SnapshotEnd>(message)) return devices;
    devices.push_back(std::get<Device>(std::move(message)));
  }
}

bool Matcher::quiet(int milliseconds) const {
  pollfd wait{channel_.fd(), POLLIN, 0};
  return ::poll(&wait, 1, milliseconds) == 0;
}

void Matcher::rescan() {
  send(encode(ScanRequest::kRescan));
}

void Matcher::check() {
  send(encode(ScanRequest::kCheck));
}

std::vector<std::string> sysnames(const std::vector<Device>& devices) {
  std::vector<std::string> names;
  for (const Device& device : devices) names.push_back(device.sysname);
  return names;
}

}  // namespace whawty::fake
