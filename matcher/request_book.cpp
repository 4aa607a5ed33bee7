// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/request_book.h"

#include <algorithm>
#include <utility>

#include "common/bounds.h"
#include "common/text.h"
#include "protocol/violation.h"

namespace whawty {

bool RequestBook::list(Clock::time_point now) {
  if (listing() || !has_room()) return false;
  send(ListDomains{}, List{}, now);
  return true;
}

bool RequestBook::describe(const Uuid& domain, Clock::time_point now) {
  if (!has_room() || described().size() >= kMaxDescriptions) return false;
  send(DescribeDomain{domain}, Description{domain}, now);
  return true;
}

bool RequestBook::change(const ChangeKey& key, const Digest& digest, Clock::time_point now) {
  if (!has_room()) return false;
  if (key.attach) {
    send(AttachHostdev{key.domain, key.hostdev, digest}, Change{key}, now);
  } else {
    send(DetachHostdev{key.domain, key.hostdev}, Change{key}, now);
  }
  return true;
}

void RequestBook::ping(Clock::time_point now) {
  send(Ping{}, Ping{}, now);
}

template <class Wire>
void RequestBook::send(const Wire& request, Book what, Clock::time_point now) {
  output_.send({++last_, request});
  entries_.emplace(last_, Entry{std::move(what), now});
}

void RequestBook::take(const XmlChunk& chunk) {
  const auto entry = entries_.find(chunk.request);
  auto* const description = entry == entries_.end() ? nullptr : std::get_if<Description>(&entry->second.what);
  if (description == nullptr) throw Violation("XML that was not asked for");
  if (description->xml.size() + chunk.data.size() > kMaxXml)
    throw Violation(concat("an XML larger than ", size_text(kMaxXml)));
  description->xml += chunk.data;
}

RequestBook::Answered RequestBook::take(const Result& result, Clock::time_point now) {
  auto node = entries_.extract(result.request);
  if (node.empty()) throw Violation("a result that was not asked for");
  return {std::move(node.mapped().what), now - node.mapped().sent};
}

void RequestBook::disconnected(const Hostdev& device) {
  for (auto& [id, entry] : entries_) {
    auto* const change = std::get_if<Change>(&entry.what);
    if (change == nullptr || !change->key.attach) continue;
    const Hostdev& hostdev = change->key.hostdev;
    if (hostdev.bus == device.bus && hostdev.device == device.device) change->orphan = true;
  }
}

template <class Kind>
bool RequestBook::has() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& entry) { return std::holds_alternative<Kind>(entry.second.what); });
}

template bool RequestBook::has<RequestBook::List>() const;
template bool RequestBook::has<Ping>() const;

std::set<Uuid> RequestBook::described() const {
  std::set<Uuid> domains;
  for (const auto& [id, entry] : entries_)
    if (const auto* const description = std::get_if<Description>(&entry.what))
      domains.insert(description->domain);
  return domains;
}

std::vector<ChangeKey> RequestBook::changes() const {
  std::vector<ChangeKey> keys;
  for (const auto& [id, entry] : entries_)
    if (const auto* const change = std::get_if<Change>(&entry.what)) keys.push_back(change->key);
  return keys;
}

}  // namespace whawty
