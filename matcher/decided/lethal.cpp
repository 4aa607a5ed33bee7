// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/lethal.h"

#include <iterator>

#include "common/bounds.h"

namespace whawty {
namespace {

bool within(const std::optional<Lethal::Clock::time_point>& when, Lethal::Clock::duration duration,
            Lethal::Clock::time_point now) {
  return when && now - *when <= duration;
}

}  // namespace

void Lethal::changed(const Uuid& guest, const Subject& device, Clock::time_point now) {
  if (Entry* const entry = note(guest, device, now)) entry->changed = now;
}

std::vector<Uuid> Lethal::left(const Subject& device, const std::vector<Uuid>& holders,
                               Clock::time_point now) {
  for (const Uuid& guest : holders) changed(guest, device, now);
  std::vector<Uuid> put_aside;
  for (auto at = entries_.lower_bound({device, Uuid{}}); at != entries_.end() && at->first.first == device;
       ++at) {
    at->second.away_since = now;
    if (within(at->second.died, kSoonAfter, now) && blame(at->second, now))
      put_aside.push_back(at->first.second);
  }
  return put_aside;
}

void Lethal::came(const Subject& device, Clock::time_point now) {
  const auto of_device = [&](const auto& entry) { return entry.first.first == device; };
  for (auto at = entries_.lower_bound({device, Uuid{}}); at != entries_.end() && of_device(*at);) {
    const auto since = std::exchange(at->second.away_since, std::nullopt);
    at = since && now - *since >= kAway ? entries_.erase(at) : std::next(at);
  }
}

std::vector<Lethal::Subject> Lethal::died(const Uuid& guest, const std::vector<Subject>& held,
                                          Clock::time_point now) {
  for (const Subject& device : held)
    if (Entry* const entry = note(guest, device, now)) entry->died = now;
  std::vector<Subject> put_aside;
  for (auto& [key, entry] : entries_)
    if (key.second == guest && within(entry.changed, kSoon, now) && blame(entry, now))
      put_aside.push_back(key.first);
  return put_aside;
}

std::vector<std::pair<Uuid, Lethal::Subject>> Lethal::put_aside() const {
  std::vector<std::pair<Uuid, Subject>> put_aside;
  for (const auto& [key, entry] : entries_)
    if (entry.deaths >= kDeaths) put_aside.emplace_back(key.second, key.first);
  return put_aside;
}

// True if that is once too often. A change is blamed for one death, and a death on one change.
bool Lethal::blame(Entry& entry, Clock::time_point now) {
  if (entry.deaths >= kDeaths) return false;
  if (!within(entry.blamed, kCountedFor, now)) entry.deaths = 0;
  entry.blamed = now;
  entry.changed.reset();
  entry.died.reset();
  return ++entry.deaths == kDeaths;
}

Lethal::Entry* Lethal::note(const Uuid& guest, const Subject& device, Clock::time_point now) {
  const auto known = entries_.find({device, guest});
  if (known != entries_.end()) return &known->second;
  if (entries_.size() >= kMaxSuspects) forget_harmless(now);
  if (entries_.size() >= kMaxSuspects) return nullptr;
  return &entries_[{device, guest}];
}

// What is put aside stays so as long as it is there, and what was away for long begins anew.
void Lethal::forget_harmless(Clock::time_point now) {
  std::erase_if(entries_, [now](const auto& keyed) {
    const Entry& entry = keyed.second;
    if (entry.away_since && now - *entry.away_since >= kAway) return true;
    return entry.deaths < kDeaths && !within(entry.blamed, kCountedFor, now) &&
           !within(entry.changed, kSoon, now) && !within(entry.died, kSoonAfter, now);
  });
}

}  // namespace whawty
