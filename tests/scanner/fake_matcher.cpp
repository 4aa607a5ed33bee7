// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "fake_matcher.h"

#include <poll.h>

#include <chrono>
#include <stdexcept>
#include <utility>

#include "protocol/matcher_to_scanner.h"

namespace whawty::fake {

ScannerMessage Matcher::next() {
  if (quiet(20'000)) throw std::runtime_error("the scanner says nothing");
  return *std::exchange(next_, std::nullopt);
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

bool Matcher::quiet(int milliseconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  Received received;
  while (!next_) {
    if (channel_.receive(received)) {
      ScannerMessage message = decode_scanner_message(received.datagram);
      if (std::holds_alternative<Awake>(message)) {
        ++awake_;
      } else {
        next_ = std::move(message);
      }
      continue;
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd wait{channel_.fd(), POLLIN, 0};
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) == 0) return true;
  }
  return false;
}

void Matcher::rescan() {
  send(encode(ScanRequest::kRescan));
}

void Matcher::check() {
  send(encode(ScanRequest::kCheck));
}

void Matcher::ping() {
  send(encode(ScanRequest::kPing));
}

std::vector<std::string> sysnames(const std::vector<Device>& devices) {
  std::vector<std::string> names;
  for (const Device& device : devices) names.push_back(device.sysname);
  return names;
}

}  // namespace whawty::fake
