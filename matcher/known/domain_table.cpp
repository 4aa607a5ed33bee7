// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/known/domain_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/bounds.h"
#include "common/text.h"
#include "matcher/known/domain_xml.h"
#include "matcher/known/libvirt_errors.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;

// How long the first description of a domain may keep all others waiting.
constexpr Clock::duration kFirstDescription = 1s;

// libvirt 11 describes a domain when all else that it does with it has ended, or fails after 30 s.
constexpr Clock::duration kFirstPause = 1s;
constexpr Clock::duration kLongestPause = 30s;

// How long that is nobody's concern: starting a large guest, or saving one, may take that long.
constexpr Clock::duration kBusyPatience = 2min;

// Of what was last said of a domain so much is kept, to tell what is said next from it: bytes.
constexpr std::size_t kComplaintKept = 256;

bool numbered_alike(const Hostdev& one, const Hostdev& other) {
  return one.bus == other.bus && one.device == other.device;
}

}  // namespace

void DomainTable::begin_list() {
  for (auto& [uuid, domain] : domains_) domain.listed = false;
}

void DomainTable::take(const DomainListed& listed, Clock::time_point now) {
  State& domain = note(listed.uuid, listed.name, now);
  domain.listed = true;
  domain.listed_active = listed.active;
  // An event may have been faster than this list: then the description will tell whether it runs.
  const bool is_another = !domain.described || !domain.readable || domain.run != listed.run;
  if (listed.active && is_another) domain.happened = domain.stale = true;
  if (listed.active && now >= domain.described_until) domain.stale = true;
  if (listed.active) return;
  domain.not_before = {};
  if (!domain.stale) stop(domain);
}

void DomainTable::end_list(const Result& result, const std::set<Uuid>& busy) {
  changed_ = true;
  if (result.outcome != Outcome::kDone) {
    if (!std::exchange(list_failed_, true))
      notes_.push_back({DomainNote::Kind::kListFailed, {}, result.message});
    return;
  }
  if (std::exchange(list_failed_, false)) notes_.push_back({DomainNote::Kind::kListWorks});
  connected_ = true;
  std::erase_if(domains_, [&](const auto& entry) {
    return !entry.second.listed && !entry.second.stale && !busy.contains(entry.first);
  });
}

void DomainTable::doubt() {
  for (auto& [uuid, domain] : domains_) domain.described_until = {};
}

void DomainTable::take(const DomainChanged& changed, Clock::time_point now) {
  State& domain = note(changed.uuid, changed.name, now);
  domain.happened = domain.stale = true;
  domain.not_before = {};
  if (!domain.active) domain.since = now;
  domain.let_go = domain.let_go || changed.news.let_go;
  happened_to_.push_back(changed.uuid);
}

void DomainTable::stall(const Uuid& uuid, bool changing, Clock::time_point now) {
  State* const domain = find(uuid);
  if (domain == nullptr || std::exchange(domain->stalled, true)) return;
  changed_ = true;
  if (!changing) {
    domain->busy_since = domain->busy_since.value_or(now);
    return;
  }
  notes_.push_back({DomainNote::Kind::kStalled, domain->name});
}

void DomainTable::describe(const Uuid& uuid, const Result& result, const std::string& xml,
                           Clock::time_point now) {
  changed_ = true;
  State* const domain = find(uuid);
  if (domain == nullptr) return;
  if (result.outcome == Outcome::kStalled) {
    domain->stale = true;
    return;
  }
  domain->stalled = false;
  if (result.outcome == Outcome::kFailed && libvirt_error::is_busy(result)) return put_off(*domain, now);
  no_longer_busy(*domain);
  if (result.outcome == Outcome::kDone) return take_description(*domain, uuid, xml, now);
  if (result.outcome == Outcome::kNoDomain) return stop(*domain);
  give_up(*domain, DomainNote::Kind::kNotDescribed, result.message, 0);
}

// What it was last known to have still counts; nothing is done for it until it is described.
void DomainTable::put_off(State& domain, Clock::time_point now) {
  if (!domain.busy_since) domain.busy_since = now;
  domain.happened = domain.stale = true;
  domain.not_before = now + std::min(kFirstPause * (1U << std::min(domain.busy, 10U)), kLongestPause);
  ++domain.busy;
}

void DomainTable::no_longer_busy(State& domain) {
  domain.busy_since.reset();
  domain.busy = 0;
  domain.said_busy = false;
}

void DomainTable::look_at_busy(Clock::time_point now) {
  for (auto& [uuid, domain] : domains_)
    if (domain.busy_since && now - *domain.busy_since >= kBusyPatience &&
        !std::exchange(domain.said_busy, true))
      notes_.push_back({DomainNote::Kind::kBusy, domain.name});
}

Clock::time_point DomainTable::next(Clock::time_point now) const {
  auto next = Clock::time_point::max();
  for (const auto& [uuid, domain] : domains_) {
    if (domain.stale && domain.not_before > now) next = std::min(next, domain.not_before);
    if (domain.busy_since && !domain.said_busy) next = std::min(next, *domain.busy_since + kBusyPatience);
  }
  return next;
}

void DomainTable::take_description(State& domain, const Uuid& uuid, const std::string& xml,
                                   Clock::time_point now) {
  const auto parsed = parse_domain_xml(xml);
  if (const auto* const error = std::get_if<DomainXmlError>(&parsed))
    return give_up(domain, DomainNote::Kind::kUnreadable, error->message, 0);
  const auto& description = std::get<DomainDescription>(parsed);
  if (!description.active) return stop(domain);
  if (description.hostdevs.size() > kMaxHostdevs)
    return give_up(domain, DomainNote::Kind::kTooManyHostdevs, {}, kMaxHostdevs);
  if (hostdevs_of_others(uuid) + description.hostdevs.size() > kMaxHostdevsOfAll)
    return give_up(domain, DomainNote::Kind::kNoRoom, {}, kMaxHostdevsOfAll);
  if (!domain.active || domain.hostdevs != description.hostdevs) happened_to_.push_back(uuid);
  domain.active = domain.described = domain.readable = true;
  domain.happened = domain.stale;
  domain.run = description.run;
  domain.described_until = now + kDescribedFor;
  domain.hostdevs = description.hostdevs;
  domain.attached.clear();
  domain.last_held.clear();
  if (std::exchange(domain.let_go, false))
    domain.orphans.assign(domain.hostdevs.begin(), domain.hostdevs.end());
  std::erase_if(domain.orphans, [&](const Hostdev& orphan) {
    return std::none_of(domain.hostdevs.begin(), domain.hostdevs.end(),
                        [&](const LiveHostdev& one) { return !one.missing && one == orphan; });
  });
  if (description.unidentified > 0) {
    complain(domain, DomainNote::Kind::kUnidentified, {}, description.unidentified);
  } else {
    domain.complaint.reset();
  }
}

std::size_t DomainTable::hostdevs_of_others(const Uuid& uuid) const {
  std::size_t count = 0;
  for (const auto& [other, domain] : domains_)
    if (other != uuid) count += domain.hostdevs.size() + domain.last_held.size();
  return count;
}

void DomainTable::stop(State& domain) {
  if (domain.active) {
    changed_ = true;
    domain.last_held = domain.hostdevs;
    domain.last_held.insert(domain.last_held.end(), domain.attached.begin(), domain.attached.end());
  }
  domain.active = domain.described = domain.stalled = false;
  domain.described_until = {};
  // Not if it may have been restored since.
  if (!domain.stale) domain.let_go = false;
  domain.hostdevs.clear();
  domain.attached.clear();
  domain.orphans.clear();
  domain.complaint.reset();
  domain.not_before = {};
  no_longer_busy(domain);
}

void DomainTable::give_up(State& domain, DomainNote::Kind kind, std::string_view detail, std::size_t count) {
  // It keeps what it was last known to have; nothing is done for it until it can be read again.
  domain.active = domain.described = true;
  domain.readable = false;
  domain.described_until = {};
  complain(domain, kind, detail, count);
}

void DomainTable::complain(State& domain, DomainNote::Kind kind, std::string_view detail, std::size_t count) {
  const DomainNote kept{kind, {}, std::string(detail.substr(0, kComplaintKept)), count};
  if (domain.complaint == kept) return;
  domain.complaint = kept;
  notes_.push_back({kind, domain.name, std::string(detail), count});
}

void DomainTable::change(const Uuid& uuid, const Result& result) {
  changed_ = true;
  State* const domain = find(uuid);
  if (domain == nullptr) return;
  domain->happened = domain->stale = true;
  if (result.outcome != Outcome::kStalled) domain->stalled = false;
}

void DomainTable::attach(const Uuid& uuid, const Hostdev& hostdev, bool orphan) {
  State* const domain = find(uuid);
  if (domain == nullptr) return;
  domain->attached.push_back({hostdev, true, {}});
  if (orphan) domain->orphans.push_back(hostdev);
}

void DomainTable::disconnected(const Hostdev& device) {
  for (auto& [uuid, domain] : domains_) {
    std::erase_if(domain.orphans, [&](const Hostdev& orphan) { return numbered_alike(orphan, device); });
    for (const auto* const hostdevs : {&domain.hostdevs, &domain.attached})
      std::copy_if(hostdevs->begin(), hostdevs->end(), std::back_inserter(domain.orphans),
                   [&](const LiveHostdev& one) { return !one.missing && numbered_alike(one, device); });
  }
}

std::vector<Uuid> DomainTable::stale(Clock::time_point now) const {
  std::vector<Uuid> uuids;
  for (const auto& [uuid, domain] : domains_)
    if (domain.stale && !domain.stalled && domain.not_before <= now) uuids.push_back(uuid);
  return uuids;
}

void DomainTable::asked(const Uuid& uuid) {
  if (State* const domain = find(uuid)) domain->stale = false;
}

std::vector<Uuid> DomainTable::holders_of(const Hostdev& device) const {
  const auto has_it = [&](const LiveHostdev& one) { return !one.missing && numbered_alike(one, device); };
  std::vector<Uuid> holders;
  for (const auto& [uuid, domain] : domains_)
    if (std::any_of(domain.hostdevs.begin(), domain.hostdevs.end(), has_it) ||
        std::any_of(domain.attached.begin(), domain.attached.end(), has_it))
      holders.push_back(uuid);
  return holders;
}

std::vector<Hostdev> DomainTable::last_held_by(const Uuid& uuid) const {
  std::vector<Hostdev> held;
  const auto domain = domains_.find(uuid);
  if (domain == domains_.end()) return held;
  for (const auto* const hostdevs :
       {&domain->second.hostdevs, &domain->second.attached, &domain->second.last_held})
    std::copy_if(hostdevs->begin(), hostdevs->end(), std::back_inserter(held),
                 [](const LiveHostdev& one) { return !one.missing; });
  return held;
}

std::vector<DomainView> DomainTable::views() const {
  std::vector<DomainView> views;
  for (const auto& [uuid, domain] : domains_) {
    if (!domain.active) continue;
    views.push_back({uuid, domain.name, domain.hostdevs, domain.settled(), domain.orphans});
    views.back().hostdevs.insert(views.back().hostdevs.end(), domain.attached.begin(), domain.attached.end());
  }
  return views;
}

bool DomainTable::waits_for_one(const std::set<Uuid>& busy, Clock::time_point now) const {
  return std::any_of(domains_.begin(), domains_.end(), [&](const auto& entry) {
    const State& domain = entry.second;
    const bool asked_for = domain.stale || busy.contains(entry.first);
    return !domain.described && !domain.stalled && asked_for && now - domain.since < kFirstDescription;
  });
}

std::string DomainTable::name_of(const Uuid& uuid) const {
  const auto entry = domains_.find(uuid);
  return entry == domains_.end() ? "?" : entry->second.name;
}

std::vector<Guest> DomainTable::guests() const {
  std::vector<Guest> guests;
  for (const auto& [uuid, domain] : domains_) guests.push_back({domain.name, uuid, domain.listed_active});
  return guests;
}

DomainTable::State& DomainTable::note(const Uuid& uuid, const std::string& name, Clock::time_point now) {
  const auto [entry, added] = domains_.try_emplace(uuid);
  State& domain = entry->second;
  if (domains_.size() > kMaxDomains) throw Violation(concat("more than ", kMaxDomains, " domains"));
  if (added) domain.since = now;
  if (domain.name != name) changed_ = true;
  domain.name = name;
  return domain;
}

DomainTable::State* DomainTable::find(const Uuid& uuid) {
  const auto entry = domains_.find(uuid);
  return entry == domains_.end() ? nullptr : &entry->second;
}

}  // namespace whawty
