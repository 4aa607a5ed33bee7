// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/rulebook.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/bounds.h"
#include "matcher/decided/match.h"

namespace whawty {
namespace {

// A condition as a text: what a rule tests and a device has is the same text for both.
std::string text_of(char kind, std::string_view name, std::string_view value = {}) {
  std::string text(1, kind);
  text += name;
  text += '\0';
  text += value;
  return text;
}

std::string text_of(char kind, std::uint32_t number) {
  return text_of(kind, std::to_string(number));
}

// What holds for every device: a rule stands there only if it tests nothing that is known here.
constexpr const char* kAny = "*";

// All conditions of a rule, but for what a pattern says of its property.
std::vector<std::string> conditions_of(const Rule& rule) {
  std::vector<std::string> texts{kAny};
  if (rule.bus) texts.push_back(text_of('b', *rule.bus));
  if (rule.device) texts.push_back(text_of('d', *rule.device));
  if (rule.bus && rule.device) texts.push_back(text_of('a', pair_of(*rule.bus, *rule.device)));
  if (rule.vendor) texts.push_back(text_of('v', *rule.vendor));
  if (rule.product) texts.push_back(text_of('p', *rule.product));
  if (rule.vendor && rule.product) texts.push_back(text_of('i', pair_of(*rule.vendor, *rule.product)));
  for (const PropertyCondition& one : rule.properties)
    texts.push_back(one.equals ? text_of('=', one.name, *one.equals) : text_of('~', one.name));
  for (const std::string& tag : rule.tags) texts.push_back(text_of('t', tag));
  for (const std::string& tag : rule.current_tags) texts.push_back(text_of('c', tag));
  return texts;
}

// All conditions that hold for a device.
std::vector<std::string> conditions_of(const Device& device) {
  std::vector<std::string> texts{kAny,
                                 text_of('b', device.bus),
                                 text_of('d', device.number),
                                 text_of('a', pair_of(device.bus, device.number)),
                                 text_of('v', device.vendor),
                                 text_of('p', device.product),
                                 text_of('i', pair_of(device.vendor, device.product))};
  for (const auto& [name, value] : device.properties) {
    texts.push_back(text_of('=', name, value));
    texts.push_back(text_of('~', name));
  }
  for (const std::string& tag : device.tags) texts.push_back(text_of('t', tag));
  for (const std::string& tag : device.current_tags) texts.push_back(text_of('c', tag));
  return texts;
}

template <class Visit>
void for_each_rule(const Config& config, const Visit& visit) {
  for (std::uint32_t machine = 0; machine < config.machines.size(); ++machine)
    for (std::uint32_t rule = 0; rule < config.machines[machine].rules.size(); ++rule) visit(machine, rule);
}

}  // namespace

Rulebook::Rulebook(Config config) : config_(std::move(config)) {
  for (std::size_t place = 0; place < config_.machines.size(); ++place)
    by_name_.emplace(config_.machines[place].name, place);
  std::unordered_map<std::string, std::size_t> count;
  for_each_rule(config_, [&](std::uint32_t machine, std::uint32_t rule) {
    for (const std::string& condition : conditions_of(config_.machines[machine].rules[rule]))
      ++count[condition];
  });
  for_each_rule(config_, [&](std::uint32_t machine, std::uint32_t rule) {
    const std::vector<std::string> conditions = conditions_of(config_.machines[machine].rules[rule]);
    const auto rarest =
        std::min_element(conditions.begin(), conditions.end(),
                         [&](const auto& one, const auto& other) { return count[one] < count[other]; });
    by_condition_[*rarest].push_back({machine, rule});
  });
}

std::optional<std::size_t> Rulebook::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Claim> Rulebook::claims(const Device& device) const {
  return known_claims(device);
}

bool Rulebook::gives(std::size_t machine, const Device& device) const {
  const std::vector<Claim>& claims = known_claims(device);
  const auto found = std::lower_bound(claims.begin(), claims.end(), machine,
                                      [](const Claim& claim, std::size_t at) { return claim.machine < at; });
  return found != claims.end() && found->machine == machine;
}

const std::vector<Claim>& Rulebook::known_claims(const Device& device) const {
  const auto found = known_.find(device.sysname);
  if (found != known_.end() && found->second.device == device) return found->second.claims;
  if (known_count_ >= kMaxClaimsKept) {
    known_.clear();
    known_count_ = 0;
  }
  Known& known = known_[device.sysname];
  known = {device, find_claims(device)};
  known_count_ += known.claims.size();
  return known.claims;
}

void Rulebook::forget_others(const DeviceMap& devices) const {
  std::erase_if(known_, [&](const auto& entry) { return !devices.contains(entry.first); });
}

// In the order of the configuration, each once.
std::vector<Rulebook::Place> Rulebook::candidates(const Device& device) const {
  std::vector<Place> places;
  for (const std::string& condition : conditions_of(device))
    if (const auto found = by_condition_.find(condition); found != by_condition_.end())
      places.insert(places.end(), found->second.begin(), found->second.end());
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

std::vector<Claim> Rulebook::find_claims(const Device& device) const {
  std::vector<Claim> claims;
  for (const auto& [machine, place] : candidates(device)) {
    const Rule& rule = config_.machines[machine].rules[place];
    const bool claimed = !claims.empty() && claims.back().machine == machine;
    const bool tells_more = rule.allow_host_device ? !claimed || !claims.back().host_rule : !claimed;
    if (!tells_more || !matches(rule, device)) continue;
    if (!claimed) claims.push_back({machine, place, {}});
    if (rule.allow_host_device) claims.back().host_rule = place;
  }
  return claims;
}

}  // namespace whawty
