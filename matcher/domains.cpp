// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/domains.h"

#include <algorithm>
#include <variant>

#include "common/bounds.h"
#include "protocol/violation.h"

namespace whawty {

std::optional<ChangeEnded> Domains::take(const ActuatorMessage& message, Clock::time_point now) {
  if (const auto* const result = std::get_if<Result>(&message)) return finish(*result, now);
  if (const auto* const listed = std::get_if<DomainListed>(&message)) {
    if (!book_.listing()) throw Violation("a domain that was not asked for");
    table_.take(*listed, now);
  } else if (const auto* const changed = std::get_if<DomainChanged>(&message)) {
    table_.take(*changed, now);
  } else if (const auto* const stalled = std::get_if<DomainStalled>(&message)) {
    table_.stall(stalled->uuid, under_way(stalled->uuid).has_value(), now);
  } else if (const auto* const chunk = std::get_if<XmlChunk>(&message)) {
    book_.take(*chunk);
  }
  return std::nullopt;
}

std::optional<ChangeEnded> Domains::finish(const Result& result, Clock::time_point now) {
  const auto [what, took] = book_.take(result, now);
  if (std::holds_alternative<RequestBook::List>(what)) table_.end_list(result, busy());
  if (const auto* const description = std::get_if<RequestBook::Description>(&what))
    table_.describe(description->domain, result, description->xml, now);
  const auto* const change = std::get_if<RequestBook::Change>(&what);
  if (change == nullptr) return std::nullopt;
  const ChangeKey& key = change->key;
  table_.change(key.domain, result);
  if (result.outcome == Outcome::kDone && key.attach) table_.attach(key.domain, key.hostdev, change->orphan);
  return ChangeEnded{key, result, took};
}

void Domains::refresh(Clock::time_point now) {
  if (book_.list(now)) table_.begin_list();
}

void Domains::describe_stale(Clock::time_point now) {
  const std::set<Uuid> busy = this->busy();
  for (const Uuid& domain : table_.stale(now)) {
    if (busy.contains(domain)) continue;
    if (!book_.describe(domain, now)) return;
    table_.asked(domain);
  }
}

void Domains::ping(Clock::time_point now) {
  if (table_.connected()) book_.ping(now);
}

bool Domains::request(const ChangeKey& key, const Digest& digest, Clock::time_point now) {
  return table_.knows(key.domain) && changes_of(key.domain) < kMaxChangesOfDomain &&
         book_.change(key, digest, now);
}

void Domains::disconnected(const Hostdev& device) {
  table_.disconnected(device);
  book_.disconnected(device);
}

std::vector<Uuid> Domains::holders_of(const Hostdev& device) const {
  std::vector<Uuid> holders = table_.holders_of(device);
  for (const ChangeKey& change : book_.changes())
    if (change.hostdev.bus == device.bus && change.hostdev.device == device.device)
      holders.push_back(change.domain);
  return holders;
}

std::optional<ChangeKey> Domains::under_way(const Uuid& domain) const {
  for (const ChangeKey& change : book_.changes())
    if (change.domain == domain) return change;
  return std::nullopt;
}

std::vector<DomainView> Domains::views() const {
  std::vector<DomainView> views = table_.views();
  for (const ChangeKey& change : book_.changes()) {
    const auto view = std::find_if(views.begin(), views.end(),
                                   [&](const DomainView& one) { return one.uuid == change.domain; });
    if (view == views.end()) continue;
    view->settled = false;
    if (change.attach) view->hostdevs.push_back({change.hostdev, true, {}});
  }
  return views;
}

bool Domains::known(Clock::time_point now) const {
  return table_.connected() && !table_.waits_for_one(book_.described(), now);
}

std::size_t Domains::changes_of(const Uuid& domain) const {
  const std::vector<ChangeKey> changes = book_.changes();
  return static_cast<std::size_t>(std::count_if(
      changes.begin(), changes.end(), [&](const ChangeKey& change) { return change.domain == domain; }));
}

// Those for which a request is unanswered.
std::set<Uuid> Domains::busy() const {
  std::set<Uuid> domains = book_.described();
  for (const ChangeKey& change : book_.changes()) domains.insert(change.domain);
  return domains;
}

}  // namespace whawty
