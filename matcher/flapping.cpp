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

// Many more than any host has: a device adds ports, but no root ports.
constexpr std::size_t kMaxRootPorts = 1024;

// More first appearances than this are reconnects: a bus has no room for more devices.
constexpr std::size_t kMaxFirst = kMaxDeviceNumber;

}  // namespace

Flapping::Flapping() : ports_(kMaxPorts), root_ports_(kMaxRootPorts) {}

std::string Flapping::root_port_of(const std::string& port) {
  return port.substr(0, port.find('.'));
}

void Flapping::limit(unsigned reconnects) {
  limit_ = reconnects;
  if (limit_ != 0) return;
  ports_.clear();
  root_ports_.clear();
}

Flapping::PutAside Flapping::appeared(const std::string& port, Clock::time_point now) {
  if (limit_ == 0) return PutAside::kNothing;
  const std::string root_port = root_port_of(port);
  Entry* const at = ports_.came(port, now);
  Entry* const behind = root_ports_.came(root_port, now);
  const bool served = !root_ports_.is_put_aside(root_port);
  // The first one is no reconnect. Where nothing is known of a port, it may be one.
  const std::size_t too_many = limit_ + std::size_t{2};
  const std::size_t count = at == nullptr ? 2 : at->appearances.add(now, too_many);
  if (ports_.is_put_aside(port)) return PutAside::kNothing;
  if (count == too_many && served) {
    ports_.put_aside(port);
    return PutAside::kPort;
  }
  if (behind == nullptr || !too_often_behind(*behind, count > 1, now) || !served) return PutAside::kNothing;
  root_ports_.put_aside(root_port);
  return PutAside::kRootPort;
}

bool Flapping::too_often_behind(Entry& root_port, bool reconnect, Clock::time_point now) const {
  if (!reconnect && root_port.appearances.add(now, kMaxFirst + 1) <= kMaxFirst) return false;
  const std::size_t too_many = std::size_t{kRootPortFactor} * limit_ + 1;
  return root_port.reconnects.add(now, too_many) == too_many;
}

void Flapping::left(const std::string& port, Clock::time_point now) {
  ports_.left(port, now);
  root_ports_.left(root_port_of(port), now);
}

Flapping::Quiet Flapping::take_back(Clock::time_point now) {
  return {ports_.take_back(now), root_ports_.take_back(now)};
}

bool Flapping::is_put_aside(const std::string& port) const {
  return ports_.is_put_aside(port) || root_ports_.is_put_aside(root_port_of(port));
}

Flapping::Clock::time_point Flapping::next() const {
  return std::min(ports_.next(), root_ports_.next());
}

std::size_t Flapping::LastMinute::add(Clock::time_point now, std::size_t of_interest) {
  times_.push_back(now);
  while (times_.size() > of_interest || now - times_.front() >= kCountedFor) times_.erase(times_.begin());
  return times_.size();
}

Flapping::Entry* Flapping::Watch::came(const std::string& port, Clock::time_point now) {
  auto known = entries_.find(port);
  if (known == entries_.end()) {
    if (entries_.size() >= room_) forget_quiet(now);
    if (entries_.size() >= room_) return nullptr;
    known = entries_.try_emplace(port).first;
  }
  known->second.last_change = now;
  return &known->second;
}

void Flapping::Watch::left(const std::string& port, Clock::time_point now) {
  if (const auto known = entries_.find(port); known != entries_.end()) known->second.last_change = now;
}

Flapping::Ports Flapping::Watch::take_back(Clock::time_point now) {
  Ports quiet;
  for (const std::string& port : put_aside_)
    if (now - entries_.at(port).last_change >= kQuiet) quiet.push_back(port);
  for (const std::string& port : quiet) put_aside_.erase(port);
  forget_quiet(now);
  return quiet;
}

Flapping::Clock::time_point Flapping::Watch::next() const {
  auto next = Clock::time_point::max();
  for (const std::string& port : put_aside_) next = std::min(next, entries_.at(port).last_change + kQuiet);
  return next;
}

void Flapping::Watch::clear() {
  entries_.clear();
  put_aside_.clear();
}

void Flapping::Watch::forget_quiet(Clock::time_point now) {
  std::erase_if(entries_, [&](const auto& entry) {
    return now - entry.second.last_change >= kCountedFor && !put_aside_.contains(entry.first);
  });
}

}  // namespace whawty
