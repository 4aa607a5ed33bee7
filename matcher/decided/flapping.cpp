// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/flapping.h"

#include <algorithm>

#include "common/bounds.h"
#include "common/port_path.h"

namespace whawty {
namespace {

using namespace std::chrono_literals;

constexpr Flapping::Clock::duration kCountedFor = 1min;

// More first appearances than this are reconnects: a bus has no room for more devices.
constexpr std::size_t kMaxFirst = kMaxDeviceNumber;

bool is_root_port(const std::string& port) {
  return port.find('.') == std::string::npos;
}

// Ports behind a hub stand together in a map, between these two names.
std::string first_behind(const std::string& hub) {
  return hub + '.';
}
std::string beyond(const std::string& hub) {
  return hub + static_cast<char>('.' + 1);
}

}  // namespace

void Flapping::limit(unsigned reconnects) {
  limit_ = reconnects;
  if (limit_ != 0) return;
  nodes_.clear();
  aside_.clear();
  restless_.clear();
}

std::optional<Flapping::PutAside> Flapping::appeared(const std::string& port, Clock::time_point now) {
  if (limit_ == 0) return std::nullopt;
  const Ports way = ports_on_the_way_to(port);
  for (const std::string& one : way) find_or_add(one, now);
  if (touch(way, now)) return std::nullopt;
  const auto at = nodes_.find(port);
  // The first one is no reconnect. Where nothing is known of a port, it may be one.
  const std::size_t too_many = limit_ + std::size_t{2};
  const std::size_t count = at == nodes_.end() ? 2 : at->second.appearances.add(now, too_many);
  if (count == too_many) return put_aside(port, false, now);
  if (!is_reconnect(way, count, now)) return std::nullopt;
  for (const std::string& hub : way)
    if (hub != port) count_behind(hub, now);
  for (auto hub = way.rbegin(); hub != way.rend(); ++hub)
    if (too_often_behind(*hub, now)) return put_aside(*hub, true, now);
  return std::nullopt;
}

bool Flapping::is_reconnect(const Ports& way, std::size_t appearances, Clock::time_point now) {
  if (appearances > 1) return true;
  const auto root_port = nodes_.find(way.front());
  return root_port != nodes_.end() && root_port->second.firsts.add(now, kMaxFirst + 1) > kMaxFirst;
}

void Flapping::count_behind(const std::string& hub, Clock::time_point now) {
  const auto node = nodes_.find(hub);
  // Of hubs in a row each may see one reconnect that was too many.
  if (node != nodes_.end()) node->second.behind.add(now, std::size_t{kRootPortFactor} * limit_ + kHubsInARow);
}

std::size_t Flapping::Node::reconnects(Clock::time_point now) const {
  return behind.count(now) + std::max<std::size_t>(appearances.count(now), 1) - 1;
}

// What is behind a hub is put aside when it reconnects kHubFactor times as often as one device may, and,
// without that port of the hub at which most of it happens, still more than kBesideFactor times as often.
// So the ports beside a hub that does harm are not put aside with it; and the sum has a bound: each hub on
// the way adds the latter to what is possible behind the next one.
bool Flapping::too_often_behind(const std::string& hub, Clock::time_point now) const {
  const auto node = nodes_.find(hub);
  if (node == nodes_.end()) return false;
  const std::size_t all = node->second.reconnects(now);
  return all > std::size_t{kHubFactor} * limit_ &&
         all > most_behind_one_port_of(hub, now) + std::size_t{kBesideFactor} * limit_;
}

std::size_t Flapping::most_behind_one_port_of(const std::string& hub, Clock::time_point now) const {
  std::size_t most = 0;
  const std::size_t name = hub.size() + 1;
  const auto end = nodes_.lower_bound(beyond(hub));
  for (auto node = nodes_.lower_bound(first_behind(hub)); node != end; ++node)
    if (node->first.find('.', name) == std::string::npos) most = std::max(most, node->second.reconnects(now));
  return most;
}

// What is put aside behind it already is so with it from here on. The ports of it that are quiet are served.
Flapping::PutAside Flapping::put_aside(const std::string& port, bool as_hub, Clock::time_point now) {
  aside_.erase(aside_.lower_bound(first_behind(port)), aside_.lower_bound(beyond(port)));
  restless_.erase(restless_.lower_bound(first_behind(port)), restless_.lower_bound(beyond(port)));
  aside_[port] = as_hub;
  const auto end = nodes_.lower_bound(beyond(port));
  for (auto node = nodes_.lower_bound(first_behind(port)); node != end; ++node)
    if (node->first.find('.', port.size() + 1) == std::string::npos &&
        now - node->second.last_change < kQuiet)
      restless_.insert(node->first);
  return {port, as_hub};
}

void Flapping::left(const std::string& port, Clock::time_point now) {
  touch(ports_on_the_way_to(port), now);
}

Flapping::Quiet Flapping::take_back(Clock::time_point now) {
  Quiet quiet;
  for (const auto& [port, as_hub] : aside_)
    if (now - nodes_.at(port).last_change >= kQuiet) (as_hub ? quiet.hubs : quiet.ports).push_back(port);
  for (const Ports* const ports : {&quiet.ports, &quiet.hubs})
    for (const std::string& port : *ports) aside_.erase(port);
  quiet.behind_hubs = std::erase_if(restless_, [&](const std::string& port) {
                        return now - nodes_.at(port).last_change >= kQuiet;
                      }) > 0;
  forget_quiet(now);
  return quiet;
}

bool Flapping::is_put_aside(const std::string& port) const {
  const Ports way = ports_on_the_way_to(port);
  for (std::size_t i = 0; i < way.size(); ++i)
    if (aside_.contains(way[i])) return i + 1 == way.size() || restless_.contains(way[i + 1]);
  return false;
}

Flapping::Clock::time_point Flapping::next() const {
  auto next = Clock::time_point::max();
  for (const auto& [port, as_hub] : aside_) next = std::min(next, nodes_.at(port).last_change + kQuiet);
  for (const std::string& port : restless_) next = std::min(next, nodes_.at(port).last_change + kQuiet);
  return next;
}

std::size_t Flapping::LastMinute::add(Clock::time_point now, std::size_t of_interest) {
  times_.push_back(now);
  std::size_t out = times_.size() - std::min(times_.size(), of_interest);
  while (now - times_[out] >= kCountedFor) ++out;
  times_.erase(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(out));
  return times_.size();
}

std::size_t Flapping::LastMinute::count(Clock::time_point now) const {
  return static_cast<std::size_t>(std::count_if(times_.begin(), times_.end(),
                                                [&](const auto& time) { return now - time < kCountedFor; }));
}

// The end if there is no room to watch one more.
Flapping::Nodes::iterator Flapping::find_or_add(const std::string& port, Clock::time_point now) {
  if (const auto known = nodes_.find(port); known != nodes_.end()) return known;
  const std::size_t room = kMaxPorts + (is_root_port(port) ? kMaxRootPorts : 0);
  if (nodes_.size() >= room) forget_quiet(now);
  if (nodes_.size() >= room) return nodes_.end();
  const auto added = nodes_.try_emplace(port).first;
  added->second.last_change = now;
  return added;
}

// Notes that something happened on this way. True if a port of it is put aside.
bool Flapping::touch(const Ports& way, Clock::time_point now) {
  bool aside = false;
  bool of_hub = false;  // put aside, just before on the way
  for (const std::string& port : way) {
    const auto node = nodes_.find(port);
    if (node != nodes_.end()) {
      node->second.last_change = now;
      if (of_hub) restless_.insert(port);
    }
    of_hub = aside_.contains(port);
    aside = aside || of_hub;
  }
  return aside;
}

void Flapping::forget_quiet(Clock::time_point now) {
  std::erase_if(nodes_, [&](const auto& node) {
    return now - node.second.last_change >= kCountedFor && !aside_.contains(node.first) &&
           !restless_.contains(node.first);
  });
}

}  // namespace whawty
