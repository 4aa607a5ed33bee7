// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Waiting for what other processes do.
#pragma once

#include <chrono>
#include <thread>

namespace whawty {

// Waits until the condition holds; false if it does not within ten seconds, or the given time.
template <class Condition>
bool eventually(const Condition& condition, int milliseconds = 10'000) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return true;
}

}  // namespace whawty
