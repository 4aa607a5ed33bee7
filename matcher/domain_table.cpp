// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/domain_table.h"

#include <algorithm>
#include <iterator>

#include "common/text.h"
#include "protocol/violation.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;

// How long the first description of a domain may keep all others waiting.
constexpr Clock::duration kFirstDescription = 1s;

// Descriptions that are on their way at a time: what they may take of the memory together.
constexpr std::size_t kMaxDescriptions = 8;

// More USB hostdevs than any domain has ports for.
constexpr std::size_t kMaxHostdevs = 256;

// More of them than a host has devices: what all domains together have is kept, and planned with, in memory.
constexpr std::size_t kMaxHostdevsOfAll = 2 * kMaxDevices;

// Of what was last said of a domain so much is kept, to tell what is said next from it: bytes.
constexpr std::size_t kComplaintKept = 256;

}  // namespace

std::optional<ChangeEnded> DomainTable::take(const ActuatorMessage& message, Clock::time_point now) {
  if (const auto* const listed = std::get_if<DomainListed>(&message)) {
    if (list_ == 0) throw Violation("a domain that was not asked for");
    State& domain = note(listed->uuid, listed->name, now);
    domain.listed = list_;
    domain.listed_active = listed->active;
    // An event may have been faster than this list: then the description will tell whether it runs.
    domain.stale = domain.stale || listed->active;
    if (!domain.stale) stop(domain);
  } else if (const auto* const event = std::get_if<DomainChanged>(&message)) {
    State& domain = note(event->uuid, event->name, now);
    domain.stale = true;
    if (!domain.active) domain.since = now;
    domain.let_go = domain.let_go || event->news.let_go;
    stirred_.push_back(event->uuid);
  } else if (const auto* const chunk = std::get_if<XmlChunk>(&message)) {
    add_xml(*chunk);
  } else if (const auto* const stalled = std::get_if<DomainStalled>(&message)) {
    stall(stalled->uuid);
  } else {
    return finish(std::get<Result>(message), now);
  }
  return std::nullopt;
}

DomainTable::State& DomainTable::note(const Uuid& uuid, const std::string& name, Clock::time_point now) {
  const auto [entry, added] = domains_.try_emplace(uuid);
  State& domain = entry->second;
  if (domains_.size() > kMaxDomains) throw Violation("more than 4096 domains");
  if (added) domain.since = now;
  if (domain.name != name) changed_ = true;
  domain.name = name;
  return domain;
}

DomainTable::State* DomainTable::find(const Uuid& uuid) {
  const auto entry = domains_.find(uuid);
  return entry == domains_.end() ? nullptr : &entry->second;
}

void DomainTable::add_xml(const XmlChunk& chunk) {
  const auto request = in_flight_.find(chunk.request);
  auto* const description =
      request == in_flight_.end() ? nullptr : std::get_if<Description>(&request->second.what);
  if (description == nullptr) throw Violation("XML that was not asked for");
  if (description->xml.size() + chunk.data.size() > kMaxXml) throw Violation("an XML larger than 1 MiB");
  description->xml += chunk.data;
}

std::optional<ChangeEnded> DomainTable::finish(const Result& result, Clock::time_point now) {
  const auto node = in_flight_.extract(result.request);
  if (node.empty()) throw Violation("a result that was not asked for");
  const InFlight& request = node.mapped();
  changed_ = true;
  if (std::holds_alternative<Beat>(request.what)) ping_ = 0;
  if (std::holds_alternative<Change>(request.what)) return finish_change(request, result, now);
  if (const auto* const description = std::get_if<Description>(&request.what)) {
    finish_description(*description, result);
  } else if (std::holds_alternative<List>(request.what)) {
    finish_list(result);
  }
  return std::nullopt;
}

ChangeEnded DomainTable::finish_change(const InFlight& request, const Result& result, Clock::time_point now) {
  const auto& change = std::get<Change>(request.what);
  if (State* const domain = find(change.key.domain)) {
    domain->changing = false;
    domain->stale = true;
    if (result.outcome != Outcome::kStalled) domain->stalled = false;
    if (result.outcome == Outcome::kDone && change.key.attach) {
      domain->attached.push_back({change.key.hostdev, true, {}});
      if (request.orphan) domain->orphans.push_back(change.key.hostdev);
    }
  }
  return {change, result, now - request.sent};
}

void DomainTable::finish_list(const Result& result) {
  const std::uint64_t list = std::exchange(list_, 0);
  if (result.outcome != Outcome::kDone) {
    if (!std::exchange(list_failed_, true))
      log_.say("the list of domains", log::Level::kError,
               concat("listing the domains failed: ", escape(result.message), ": trying again"));
    return;
  }
  if (std::exchange(list_failed_, false))
    log_.say("the list of domains", log::Level::kInfo, "listing the domains works again");
  connected_ = true;
  // What was not named and has no event since is gone; a request on its way keeps it until the answer.
  std::erase_if(domains_, [list](const auto& entry) {
    const State& domain = entry.second;
    return domain.listed < list && !domain.stale && domain.description == 0 && !domain.changing;
  });
}

void DomainTable::finish_description(const Description& description, const Result& result) {
  --descriptions_;
  State* const domain = find(description.domain);
  if (domain == nullptr) return;
  domain->description = 0;
  if (result.outcome == Outcome::kStalled) {
    domain->stale = true;
    return;
  }
  domain->stalled = false;
  if (result.outcome == Outcome::kDone) return take_description(*domain, description.domain, description.xml);
  if (result.outcome == Outcome::kNoDomain) return stop(*domain);
  give_up(*domain, "libvirt does not describe it: " + escape(result.message));
}

void DomainTable::take_description(State& domain, const Uuid& uuid, const std::string& xml) {
  const auto parsed = parse_domain_xml(xml);
  if (const auto* const error = std::get_if<DomainXmlError>(&parsed)) return give_up(domain, error->message);
  const auto& description = std::get<DomainDescription>(parsed);
  if (!description.active) return stop(domain);
  if (description.hostdevs.size() > kMaxHostdevs) return give_up(domain, "it has more than 256 USB hostdevs");
  if (hostdevs_of_others(uuid) + description.hostdevs.size() > kMaxHostdevsOfAll)
    return give_up(domain, "it has more USB hostdevs than there is room for: 8192 of all domains");
  if (!domain.active || domain.hostdevs != description.hostdevs) stirred_.push_back(uuid);
  domain.active = domain.described = domain.readable = true;
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
    complain(
        domain,
        concat(
            description.unidentified,
            " of its USB hostdevs cannot be identified by bus and device or vendor and product: left alone"));
  } else {
    domain.complaint.clear();
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
  domain.hostdevs.clear();
  domain.attached.clear();
  domain.orphans.clear();
  domain.complaint.clear();
}

void DomainTable::stall(const Uuid& uuid) {
  const auto entry = domains_.find(uuid);
  if (entry == domains_.end() || entry->second.stalled) return;
  entry->second.stalled = true;
  changed_ = true;
  const std::string machine = "machine " + show_name(entry->second.name);
  log_.say(machine, log::Level::kWarning,
           machine + " does not answer: nothing is done for it until a call that hangs returns");
}

void DomainTable::give_up(State& domain, const std::string& complaint) {
  // It keeps what it was last known to have; nothing is done for it until it can be read again.
  domain.active = domain.described = true;
  domain.readable = false;
  complain(domain, complaint);
}

void DomainTable::complain(State& domain, const std::string& complaint) {
  const std::string beginning = complaint.substr(0, kComplaintKept);
  if (domain.complaint == beginning) return;
  domain.complaint = beginning;
  const std::string machine = "machine " + show_name(domain.name);
  log_.say(machine, log::Level::kWarning, concat(machine, ": ", complaint));
}

void DomainTable::refresh(Clock::time_point now) {
  if (list_ == 0 && has_room()) list_ = send(ListDomains{}, List{}, now);
}

void DomainTable::ping(Clock::time_point now) {
  if (connected_) ping_ = send(PingActuator{}, Beat{}, now);
}

void DomainTable::describe_stale(Clock::time_point now) {
  for (auto& [uuid, domain] : domains_) {
    if (!has_room() || descriptions_ >= kMaxDescriptions) return;
    if (!domain.stale || domain.stalled || domain.description != 0 || domain.changing) continue;
    domain.stale = false;
    ++descriptions_;
    domain.description = send(DescribeDomain{uuid}, Description{uuid, {}}, now);
  }
}

bool DomainTable::request(const Change& change, Clock::time_point now) {
  State* const domain = find(change.key.domain);
  if (domain == nullptr || domain->changing || !has_room()) return false;
  domain->changing = true;
  if (change.key.attach) {
    send(AttachHostdev{change.key.domain, change.key.hostdev, change.digest}, change, now);
  } else {
    send(DetachHostdev{change.key.domain, change.key.hostdev}, change, now);
  }
  return true;
}

template <class Wire, class Book>
std::uint64_t DomainTable::send(const Wire& request, Book entry, Clock::time_point now) {
  output_.send({++last_request_, request});
  in_flight_.emplace(last_request_, InFlight{std::move(entry), now});
  return last_request_;
}

void DomainTable::disconnected(const Hostdev& device) {
  const auto numbered_alike = [&](const Hostdev& hostdev) {
    return hostdev.bus == device.bus && hostdev.device == device.device;
  };
  for (auto& [uuid, domain] : domains_) {
    std::erase_if(domain.orphans, numbered_alike);
    for (const auto* const hostdevs : {&domain.hostdevs, &domain.attached})
      std::copy_if(hostdevs->begin(), hostdevs->end(), std::back_inserter(domain.orphans),
                   [&](const LiveHostdev& one) { return !one.missing && numbered_alike(one); });
  }
  for (auto& [id, request] : in_flight_)
    if (const auto* const change = std::get_if<Change>(&request.what))
      request.orphan = request.orphan || (change->key.attach && numbered_alike(change->key.hostdev));
}

std::vector<Uuid> DomainTable::holders_of(const Hostdev& device) const {
  const auto has_number = [&](const Hostdev& one) {
    return one.bus == device.bus && one.device == device.device;
  };
  const auto has_it = [&](const LiveHostdev& one) { return !one.missing && has_number(one); };
  std::vector<Uuid> holders;
  for (const auto& [uuid, domain] : domains_)
    if (std::any_of(domain.hostdevs.begin(), domain.hostdevs.end(), has_it) ||
        std::any_of(domain.attached.begin(), domain.attached.end(), has_it))
      holders.push_back(uuid);
  for (const auto& [id, request] : in_flight_)
    if (const auto* const change = std::get_if<Change>(&request.what))
      if (has_number(change->key.hostdev)) holders.push_back(change->key.domain);
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

const Change* DomainTable::under_way(const Uuid& uuid) const {
  for (const auto& [id, request] : in_flight_)
    if (const auto* const change = std::get_if<Change>(&request.what))
      if (change->key.domain == uuid) return change;
  return nullptr;
}

bool DomainTable::settled(const State& domain) {
  return domain.described && domain.readable && !domain.stale && !domain.stalled && domain.description == 0 &&
         !domain.changing;
}

std::vector<DomainView> DomainTable::views() const {
  std::vector<DomainView> views;
  for (const auto& [uuid, domain] : domains_)
    if (domain.active) {
      views.push_back({uuid, domain.name, domain.hostdevs, settled(domain), domain.orphans});
      views.back().hostdevs.insert(views.back().hostdevs.end(), domain.attached.begin(),
                                   domain.attached.end());
    }
  for (const auto& [id, request] : in_flight_) {
    const auto* const change = std::get_if<Change>(&request.what);
    if (change == nullptr || !change->key.attach) continue;
    const auto view = std::find_if(views.begin(), views.end(),
                                   [&](const DomainView& one) { return one.uuid == change->key.domain; });
    if (view != views.end()) view->hostdevs.push_back({change->key.hostdev, true, {}});
  }
  return views;
}

bool DomainTable::known(Clock::time_point now) const {
  if (!connected_) return false;
  return std::none_of(domains_.begin(), domains_.end(), [now](const auto& entry) {
    const State& domain = entry.second;
    const bool waited_for = !domain.described && !domain.stalled && (domain.stale || domain.description != 0);
    return waited_for && now - domain.since < kFirstDescription;
  });
}

std::vector<Guest> DomainTable::guests() const {
  std::vector<Guest> guests;
  for (const auto& [uuid, domain] : domains_) guests.push_back({domain.name, uuid, domain.listed_active});
  return guests;
}

std::string DomainTable::name_of(const Uuid& uuid) const {
  const auto entry = domains_.find(uuid);
  return entry == domains_.end() ? "?" : entry->second.name;
}

}  // namespace whawty
