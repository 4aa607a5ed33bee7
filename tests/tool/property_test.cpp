// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the tool explains and foretells is what plan() decides: on generated sets of devices, domains and
// rules.
#include <gmock/gmock.h>

#include <random>
#include <set>
#include <tuple>

#include "common/hostdev_alias.h"
#include "matcher/decided/foresight.h"
#include "tests/matcher/config_text.h"
#include "tests/values.h"
#include "tool/changes.h"
#include "tool/explanation.h"

namespace whawty {
namespace {

constexpr unsigned kSeeds = 1000;

class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    for (unsigned i = 1 + below(7); i > 0; --i) add_device(i);
    for (const char* const name : {"a", "b", "c", "x"})
      if (below(4) != 0) add_domain(name);
    rules.emplace(rules_of_machines());
    others.emplace(rules_of_machines());
  }

  DeviceMap devices;
  std::vector<DomainView> domains;
  std::optional<Rulebook> rules, others;

 private:
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_()) / 7 % limit; }

  void add_device(unsigned i) {
    Device device = device_at(concat(1 + below(2), '-', i), static_cast<std::uint16_t>(1 + i),
                              static_cast<std::uint16_t>(below(8) == 0 ? 0 : 1 + below(2)), 1);
    device.digest = Digest{below(3), i, 0, 0};
    if (below(2) == 0) device = with_serial(device, std::string(1, static_cast<char>('0' + below(3))));
    if (below(3) == 0) device.tags = {"t"};
    if (below(8) == 0) device.device_class = kHubClass;
    if (below(8) == 0) device = silent(device);
    if (below(8) == 0) device = not_authorized(device);
    if (below(6) == 0) device = mounted(device);
    if (below(6) == 0) device = keyboard(device);
    devices.emplace(device.sysname, device);
  }

  void add_domain(const std::string& name) {
    DomainView domain{{0, static_cast<std::uint64_t>(name[0])}, name, {}, below(6) != 0};
    for (const auto& [sysname, device] : devices)
      if (below(4) == 0) domain.hostdevs.push_back(hostdev(device));
    domains.push_back(std::move(domain));
  }

  LiveHostdev hostdev(const Device& device) {
    LiveHostdev hostdev{hostdev_of(device), below(2) == 0, {}};
    if (below(5) == 0) hostdev.device = static_cast<std::uint16_t>(20 + below(5));  // it has left
    if (below(8) == 0) hostdev.bus = hostdev.device = 0;
    if (hostdev.ours && device.digest) hostdev.mark = mark_of(*device.digest) + (below(6) == 0 ? 1 : 0);
    hostdev.missing = below(10) == 0;
    return hostdev;
  }

  Config rules_of_machines() {
    constexpr const char* kRules[] = {"vendor-id: 1",
                                      "vendor-id: 2",
                                      "bus: 1",
                                      "bus: 2, vendor-id: 1",
                                      "device: 3",
                                      "bus: 1, allow-host-device: true",
                                      "udev: {tags: [t]}",
                                      "udev: {env: [{name: ID_SERIAL_SHORT, pattern: '[01]'}]}",
                                      "udev: {env: [{name: ID_SERIAL_SHORT, equals: '1'}]}"};
    std::string machines;
    for (const char* const name : {"a", "b", "c"}) {
      if (below(5) == 0) continue;
      machines += concat(machines.empty() ? "" : "; ", name, ": ", kRules[below(std::size(kRules))]);
      for (unsigned i = below(3); i > 0; --i) machines += concat(" | ", kRules[below(std::size(kRules))]);
    }
    return config(machines, below(4) == 0 ? "foreign-devices: keep" : "interval: 1h");
  }

  std::minstd_rand random_;
};

using Facts = std::set<std::tuple<std::string, std::string, std::size_t>>;  // device, machine, rule

struct Said {
  Facts gets, refused, stays, loses;
};

void expect_rules(const Rulebook& rules, const MachineVerdict& verdict, const Device& device) {
  const std::vector<Rule>& all = rules.machine(verdict.machine).rules;
  const auto first = std::ranges::find_if(all, [&](const Rule& rule) { return matches(rule, device); });
  EXPECT_EQ(verdict.rule.has_value(), first != all.end());
  if (first != all.end()) {
    EXPECT_TRUE(matches(all.at(verdict.rule.value()), device));
    EXPECT_TRUE(verdict.unmet.empty());
    return;
  }
  ASSERT_EQ(verdict.unmet.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(verdict.unmet[i], first_unmet(all[i], device));
}

Said said_by(const std::vector<Explanation>& all, const Rulebook& rules) {
  Said said;
  for (const Explanation& one : all)
    for (const MachineVerdict& verdict : one.machines) {
      expect_rules(rules, verdict, *one.device);
      const std::tuple fact{one.device->sysname, rules.machine(verdict.machine).name,
                            verdict.rule.value_or(0)};
      if (verdict.answer == Answer::kGets) said.gets.insert(fact);
      if (verdict.answer == Answer::kStays) said.stays.insert(fact);
      if (verdict.answer == Answer::kHostUses || verdict.answer == Answer::kNotAuthorized)
        said.refused.insert(fact);
      if (verdict.answer == Answer::kLoses)
        said.loses.emplace(one.device->sysname, rules.machine(verdict.machine).name, 0);
    }
  return said;
}

Said decided_by(const Plan& plan, const std::vector<DomainView>& domains) {
  Said said;
  const auto name = [&](const Uuid& uuid) {
    return std::ranges::find(domains, uuid, &DomainView::uuid)->name;
  };
  for (const Attach& one : plan.attaches) said.gets.emplace(one.sysname, name(one.domain), one.rule);
  for (const Refusal& one : plan.refusals) said.refused.emplace(one.sysname, one.machine, one.rule);
  for (const Conflict& one : plan.conflicts) said.stays.emplace(one.sysname, one.machine, one.rule);
  for (const Detach& one : plan.detaches)
    if (!one.sysname.empty()) said.loses.emplace(one.sysname, name(one.domain), 0);
  return said;
}

std::vector<Explanation> explain_all(const World& world, const std::vector<DomainView>& domains,
                                     const Rulebook& rules) {
  std::vector<const Device*> asked;
  for (const auto& [sysname, device] : world.devices) asked.push_back(&device);
  return explain(asked, world.devices, domains, rules);
}

TEST(Tool, ExplainsWhatThePlanDecides) {
  std::size_t attaches = 0, detaches = 0, conflicts = 0, refusals = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const World world(seed);
    const Plan next = plan(world.devices, world.domains, *world.rules);
    const Said said = said_by(explain_all(world, world.domains, *world.rules), *world.rules);
    const Said decided = decided_by(next, world.domains);
    EXPECT_EQ(said.gets, decided.gets);
    EXPECT_EQ(said.refused, decided.refused);
    EXPECT_EQ(said.stays, decided.stays);
    EXPECT_EQ(said.loses, decided.loses);
    attaches += next.attaches.size();
    detaches += next.detaches.size();
    conflicts += next.conflicts.size();
    refusals += next.refusals.size();
  }
  // What is compared happens often enough.
  for (const std::size_t count : {attaches, detaches, conflicts, refusals}) EXPECT_GT(count, kSeeds / 10);
}

std::vector<DomainView> carried_out(const World& world, std::vector<DomainView> domains,
                                    const Rulebook& rules) {
  carry_out(foresee(world.devices, domains, rules), world.devices, domains);
  return domains;
}

TEST(Tool, WhatAReloadMovesIsWhatThePlansOfBothLeadTo) {
  std::size_t moved = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const World world(seed);
    const std::vector<DomainView> before = carried_out(world, world.domains, *world.rules);
    const Plan rest = plan(world.devices, before, *world.rules);
    EXPECT_TRUE(rest.attaches.empty() && rest.detaches.empty());
    EXPECT_EQ(compare(world.devices, world.domains, *world.rules, *world.rules).moves, std::vector<Move>());
    const std::vector<Move> all = compare(world.devices, world.domains, *world.rules, *world.others).moves;
    const std::vector<DomainView> after = carried_out(world, before, *world.others);
    for (const Move& move : all) {
      const auto has = [&](const std::vector<DomainView>& domains, const Rulebook& rules,
                           const std::string& guest) {
        return std::ranges::any_of(holdings(world.devices, domains, rules), [&](const Held& held) {
          return held.sysname == move.sysname &&
                 std::ranges::find(domains, held.domain, &DomainView::uuid)->name == guest;
        });
      };
      EXPECT_EQ(has(before, *world.rules, move.from), !move.from.empty());
      EXPECT_EQ(has(after, *world.others, move.to), !move.to.empty());
    }
    moved += all.size();
  }
  EXPECT_GT(moved, kSeeds / 10);
}

}  // namespace
}  // namespace whawty
