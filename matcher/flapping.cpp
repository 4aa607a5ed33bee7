// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/flapping.h"

#include <algorithm>

#include "protocol/device.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;

constexpr Flapping::Clock::duration kCountedFor = 1min;
constexpr Flapping::Clock::duration kQuiet = 30s;

// As many as there can be devices. Ports beyond are not watched.
constexpr std::size_t kMaxPorts = kMaxDevices;

}  // namespace

void Flapping::limit(unsigned reconnects) {
  limit_ = reconnects;
  if (limit_ == 0) {
    ports_.clear();
    put_aside_.clear();
  }
}

bool Flapping::appeared(const std::string& port, Clock::time_point now) {
  Port* const known = limit_ == 0 ? nullptr : find_or_add(port, now);
  if (known == nullptr) return false;
  known->last_change = now;
  auto& appearances = known->appearances;
  appearances.push_back(now);
  // The first one is no reconnect.
  const std::size_t too_many = limit_ + std::size_t{2};
  while (appearances.size() > too_many || now - appearances.front() >= kCountedFor)
    appearances.erase(appearances.begin());
  return appearances.size() == too_many && put_aside_.insert(port).second;
}

void Flapping::left(const std::string& port, Clock::time_point now) {
  if (const auto known = ports_.find(port); known != ports_.end()) known->second.last_change = now;
}

std::vector<std::string> Flapping::take_back(Clock::time_point now) {
  std::vector<std::string> quiet;
  for (const std::string& port : put_aside_)
    if (now - ports_.at(port).last_change >= kQuiet) quiet.push_back(port);
  for (const std::string& port : quiet) put_aside_.erase(port);
  forget_quiet(now);
  return quiet;
}

Flapping::Clock::time_point Flapping::next() const {
  auto next = Clock::time_point::max();
  for (const std::string& port : put_aside_) next = std::min(next, ports_.at(port).last_change + kQuiet);
  return next;
}

Flapping::Port* Flapping::find_or_add(const std::string& port, Clock::time_point now) {
  if (const auto known = ports_.find(port); known != ports_.end()) return &known->second;
  if (ports_.size() >= kMaxPorts) forget_quiet(now);
  return ports_.size() < kMaxPorts ? &ports_[port] : nullptr;
}

void Flapping::forget_quiet(Clock::time_point now) {
  std::erase_if(ports_, [&](const auto& entry) {
    return now - entry.second.last_change >= kCountedFor && !put_aside_.contains(entry.first);
  });
}

}  // namespace whawty
