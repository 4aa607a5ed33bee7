// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/taken_back.h"

#include <algorithm>
#include <utility>

namespace whawty {

void TakenBack::look(const DeviceMap& devices, const std::vector<Contested>& contested,
                     Clock::time_point now) {
  std::erase_if(entries_, [&](const auto& entry) {
    const auto device = devices.find(entry.first);
    return device == devices.end() || device->second.driver != DriverKind::kHost;
  });
  std::set<std::string> held;
  for (const Contested& one : contested) held.insert(one.sysname);
  for (auto& [sysname, entry] : entries_) {
    if (held.contains(sysname)) continue;
    if (entry.due) ++entry.tries;
    entry.since.reset();
    entry.due = false;
  }
  for (const Contested& one : contested) {
    if (!one.settled) continue;
    Entry& entry = entries_[one.sysname];
    if (entry.since) continue;
    entry.since = now;
    entry.doubted = false;
  }
}

TakenBack::Clock::time_point TakenBack::next() const {
  auto next = Clock::time_point::max();
  for (const auto& [sysname, entry] : entries_)
    if (entry.waits() && !entry.doubted) next = std::min(next, entry.end());
  return next;
}

bool TakenBack::take_doubt(Clock::time_point now) {
  bool doubt = false;
  for (auto& [sysname, entry] : entries_)
    if (entry.waits() && entry.end() <= now) doubt = !std::exchange(entry.doubted, true) || doubt;
  return doubt;
}

TakenBack::Findings TakenBack::confirm(Clock::time_point now) {
  Findings findings;
  for (auto& [sysname, entry] : entries_) {
    if (!entry.waits() || entry.end() > now) continue;
    entry.due = entry.tries < kTries;
    entry.in_vain = !entry.due;
    (entry.due ? findings.taken : findings.in_vain).push_back(sysname);
  }
  return findings;
}

std::set<std::string> TakenBack::due() const {
  std::set<std::string> due;
  for (const auto& [sysname, entry] : entries_)
    if (entry.due) due.insert(sysname);
  return due;
}

}  // namespace whawty
