// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/matcher/world.h"

#include <algorithm>

#include "common/text.h"
#include "tests/matcher/config_text.h"

namespace whawty {
namespace {

bool is_change(const Request& request) {
  return std::holds_alternative<AttachHostdev>(request.what) ||
         std::holds_alternative<DetachHostdev>(request.what);
}

Uuid domain_of(const Request& change) {
  const auto* const attach = std::get_if<AttachHostdev>(&change.what);
  return attach != nullptr ? attach->domain : std::get<DetachHostdev>(change.what).domain;
}

std::string xml_of(const World::Domain& domain) {
  std::string xml = domain.running ? concat("<domain id='", domain.run, "'><devices>") : "<domain><devices>";
  for (const Hostdev& one : domain.hostdevs) {
    xml += domain.missing ? "<hostdev mode='subsystem' type='usb'><source missing='yes'>"
                          : "<hostdev mode='subsystem' type='usb'><source>";
    if (one.vendor != 0) xml += concat("<vendor id='", one.vendor, "'/><product id='", one.product, "'/>");
    if (one.bus != 0) xml += concat("<address bus='", one.bus, "' device='", one.device, "'/>");
    xml += domain.marked ? "</source><alias name='ua-whawty-usb-1'/></hostdev>" : "</source></hostdev>";
  }
  return xml + domain.odd + "</devices></domain>";
}

}  // namespace

void World::add(const std::string& name, bool running, const std::vector<Hostdev>& hostdevs) {
  Domain& domain = domains[name];
  domain.uuid = {7, domains.size()};
  domain.running = running;
  domain.hostdevs = hostdevs;
}

void World::configure(const std::string& machines, const std::string& keys, const std::string& policy) {
  reconciler_.use(config(machines, keys), now, policy);
  settle();
}

void World::begin(std::initializer_list<Device> devices, const std::string& machines,
                  const std::string& keys) {
  for (const Machine& machine : config(machines, keys).machines)
    if (!domains.contains(machine.name)) add(machine.name);
  configure(machines, keys);
  snapshot(devices);
}

void World::snapshot(std::initializer_list<Device> devices) {
  reconciler_.take(SnapshotBegin{}, now);
  for (const Device& device : devices) reconciler_.take(device, now);
  reconciler_.take(SnapshotEnd{}, now);
  settle();
}

void World::plug_unanswered(std::initializer_list<Device> devices) {
  for (const Device& device : devices) reconciler_.take(device, now);
  step();
}

void World::pass(Clock::duration duration) {
  const auto end = now + duration;
  while (next_step() <= end) {
    now = std::max(now, next_step());
    settle();
    if (next_step() <= now) now += 1ms;
  }
  now = end;
  settle();
}

void World::pass_slowly(Clock::duration duration, Clock::duration each) {
  const auto end = now + duration;
  while (true) {
    step();
    take_up(each);
    auto next = next_step();
    for (const auto& [until, request] : at_work_) next = std::min(next, until);
    if (next > end) break;
    now = next > now ? next : now + 1ms;
    end_what_is_done();
  }
  now = end;
}

void World::take_up(Clock::duration each) {
  for (; !requests.empty(); step()) {
    if (!is_change(requests.front())) {
      answer();
      continue;
    }
    const Request request = requests.front();
    requests.pop_front();
    Clock::time_point& free_from = free_from_[domain_of(request)];
    free_from = std::max(free_from, now) + each;
    at_work_.emplace(free_from, request);
  }
}

void World::end_what_is_done() {
  while (!at_work_.empty() && at_work_.begin()->first <= now) {
    requests.push_front(at_work_.extract(at_work_.begin()).mapped());
    event_unanswered(find(domain_of(requests.front()))->first);
    answer();
  }
}

void World::settle() {
  for (step(); !requests.empty(); step()) answer();
}

void World::answer_all_but_changes() {
  std::deque<Request> changes;
  for (; !requests.empty(); step())
    if (is_change(requests.front())) {
      changes.push_back(requests.front());
      requests.pop_front();
    } else {
      answer();
    }
  requests = std::move(changes);
}

std::size_t World::count_of_changes() const {
  return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(), is_change));
}

std::size_t World::count(log::Level level, const std::string& part) const {
  return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const auto& line) {
    return line.first == level && line.second.find(part) != std::string::npos;
  }));
}

void World::answer() {
  const Request& first = requests.front();
  if (const auto* const attach = std::get_if<AttachHostdev>(&first.what))
    return change("attach", attach->domain, attach->hostdev);
  if (const auto* const detach = std::get_if<DetachHostdev>(&first.what))
    return change("detach", detach->domain, detach->hostdev);
  if (const auto* const described = std::get_if<DescribeDomain>(&first.what))
    return describe(described->domain);
  if (std::holds_alternative<ListDomains>(first.what)) {
    ++lists;
    if (!list_error.empty()) return end_next(Outcome::kFailed, 38, list_error);
    for (const auto& [name, domain] : domains)
      take(DomainListed{domain.uuid, name, domain.running, domain.running ? domain.run : 0});
  }
  end_next(Outcome::kDone);
}

void World::describe(const Uuid& uuid) {
  const auto* const entry = find(uuid);
  if (entry == nullptr) return end_next(Outcome::kNoDomain, 42, "no such domain");
  const Domain& domain = entry->second;
  ++descriptions;
  if (domain.not_described != 0) return end_next(Outcome::kFailed, domain.not_described, domain.why_not);
  const std::string xml = xml_of(domain);
  const std::uint64_t id = requests.front().id;
  take(XmlChunk{id, xml.substr(0, 10)});
  take(XmlChunk{id, xml.substr(10)});
  end_next(Outcome::kDone);
}

void World::change(const std::string& verb, const Uuid& uuid, const Hostdev& hostdev) {
  auto& [name, domain] = *find(uuid);
  calls.push_back(concat(verb, ' ', hostdev.bus, '/', hostdev.device, ' ', name));
  if (!domain.error.empty() || domain.refused.contains(hostdev.device))
    return end_next(Outcome::kFailed, 1, domain.error);
  if (!domain.in_vain) {
    std::erase(domain.hostdevs, hostdev);
    if (verb == "attach") domain.hostdevs.push_back(hostdev);
  }
  end_next(Outcome::kDone);
}

void World::end_next(Outcome outcome, std::int32_t code, const std::string& words) {
  const std::uint64_t id = requests.front().id;
  requests.pop_front();
  take(Result{id, outcome, code, words, 10});
}

std::pair<const std::string, World::Domain>* World::find(const Uuid& uuid) {
  const auto found = std::find_if(domains.begin(), domains.end(),
                                  [&](const auto& entry) { return entry.second.uuid == uuid; });
  return found == domains.end() ? nullptr : &*found;
}

}  // namespace whawty
