// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/plan.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "common/hostdev_alias.h"

namespace whawty {
namespace {

// A hostdev of a domain, and the device that it stands for, if that is on the host.
struct Holding {
  const DomainView* domain;
  std::optional<std::size_t> machine;  // the domain's place in the configuration
  LiveHostdev hostdev;
  const Device* device;
};

bool is_hub(const Device& device) {
  const auto& classes = device.interface_classes;
  return device.device_class == kHubClass ||
         std::find(classes.begin(), classes.end(), kHubClass) != classes.end();
}

bool has_address(const Hostdev& hostdev, const Device& device) {
  return hostdev.bus == device.bus && hostdev.device == device.number;
}

// Numbers are used again: the mark tells the device that was attached from another that has them now. As long
// as the kernel does not tell, it is the same.
bool has_mark(const LiveHostdev& hostdev, const Device& device) {
  return !hostdev.mark || !device.digest || *hostdev.mark == mark_of(*device.digest);
}

bool stands_for(const LiveHostdev& hostdev, const Device& device) {
  if (hostdev.missing) return false;
  const bool address = hostdev.bus == 0 || has_address(hostdev, device);
  const bool ids =
      hostdev.vendor == 0 || (hostdev.vendor == device.vendor && hostdev.product == device.product);
  return address && ids && has_mark(hostdev, device);
}

bool is_kept(const Machine& machine, const LiveHostdev& hostdev) {
  return machine.keep_foreign && !hostdev.ours;
}

// Whether the machine is to lose a hostdev for which QEMU takes any device that it can open.
bool is_missing(const Machine& machine, const LiveHostdev& hostdev) {
  return hostdev.missing && !is_kept(machine, hostdev);
}

// One look at the world, with the questions that the plan asks of it.
class World {
 public:
  World(const DeviceMap& devices, const std::vector<DomainView>& domains, const Rulebook& rules,
        const std::set<std::string>& taken_back)
      : rules_(rules), taken_back_(taken_back) {
    rules.forget_others(devices);
    for (const auto& [sysname, device] : devices) add_device(device);
    for (const DomainView& domain : domains)
      if (const auto machine = rules.find(domain.name)) domains_.try_emplace(*machine, &domain);
    // Where a hostdev gives no address, several devices may fit: those with an address have the first choice.
    for (const bool with_address : {true, false})
      for (const DomainView& domain : domains)
        for (const LiveHostdev& hostdev : domain.hostdevs)
          if ((hostdev.bus != 0) == with_address) add_holding(domain, hostdev);
  }

  const Rulebook& rules() const { return rules_; }
  const std::vector<Holding>& holdings() const { return holdings_; }

  const Holding* holding_of(const Device& device) const {
    const auto found = held_.find(&device);
    return found == held_.end() ? nullptr : &holdings_[found->second];
  }

  // Its holding, or one that stands for a device which had its address before: libvirt attaches no other
  // until that is gone. One that is missing has no device in libvirt's books.
  const Holding* in_the_way_of(const Device& device) const {
    if (const Holding* const holding = holding_of(device)) return holding;
    const auto stale = stale_.find(pair_of(device.bus, device.number));
    return stale == stale_.end() ? nullptr : &holdings_[stale->second];
  }

  bool is_taken_back(const Device& device) const {
    return device.driver == DriverKind::kHost && taken_back_.contains(device.sysname);
  }

  const DomainView* domain_of(std::size_t machine) const {
    const auto found = domains_.find(machine);
    return found == domains_.end() ? nullptr : found->second;
  }

  // Whether it is to lose a hostdev for which QEMU takes any device that it can open.
  bool is_open(const DomainView& domain) const { return open_.contains(&domain); }

 private:
  void add_device(const Device& device) {
    all_.push_back(&device);
    by_address_[pair_of(device.bus, device.number)].push_back(&device);
    by_ids_[pair_of(device.vendor, device.product)].push_back(&device);
  }

  // The devices that may be meant, in the order of their names.
  std::span<const Device* const> candidates(const Hostdev& hostdev) const {
    if (hostdev.bus == 0 && hostdev.vendor == 0) return all_;
    const auto& devices = hostdev.bus != 0 ? by_address_ : by_ids_;
    const auto found = devices.find(hostdev.bus != 0 ? pair_of(hostdev.bus, hostdev.device)
                                                     : pair_of(hostdev.vendor, hostdev.product));
    return found == devices.end() ? std::span<const Device* const>() : found->second;
  }

  const Device* device_of(const DomainView& domain, std::optional<std::size_t> machine,
                          const LiveHostdev& hostdev) const {
    if (machine && std::find(domain.orphans.begin(), domain.orphans.end(), hostdev) != domain.orphans.end())
      return nullptr;
    const Device* fitting = nullptr;
    for (const Device* const device : candidates(hostdev)) {
      if (!stands_for(hostdev, *device) || held_.contains(device)) continue;
      if (machine && rules_.gives(*machine, *device)) return device;
      if (fitting == nullptr) fitting = device;
    }
    return fitting;
  }

  void add_holding(const DomainView& domain, const LiveHostdev& hostdev) {
    const std::size_t at = holdings_.size();
    const auto machine = rules_.find(domain.name);
    const Device* const device = device_of(domain, machine, hostdev);
    holdings_.push_back({&domain, machine, hostdev, device});
    if (device != nullptr)
      held_.emplace(device, at);
    else if (!hostdev.missing)
      stale_.emplace(pair_of(hostdev.bus, hostdev.device), at);
    if (machine && is_missing(rules_.machine(*machine), hostdev)) open_.insert(&domain);
  }

  const Rulebook& rules_;
  const std::set<std::string>& taken_back_;
  std::vector<const Device*> all_;
  std::unordered_map<std::uint32_t, std::vector<const Device*>> by_address_, by_ids_;
  std::unordered_map<std::size_t, const DomainView*> domains_;  // by the place of their machine
  std::vector<Holding> holdings_;
  std::unordered_map<const Device*, std::size_t> held_;   // of holdings_
  std::unordered_map<std::uint32_t, std::size_t> stale_;  // the first without a device, by its address
  std::unordered_set<const DomainView*> open_;
};

// Why the machine that has it is to lose it. Nothing if it is to keep it, or is no machine.
std::optional<DetachReason> reason_to_detach(const World& world, const Holding& holding) {
  if (!holding.machine) return std::nullopt;
  const Machine& machine = world.rules().machine(*holding.machine);
  const Device* const device = holding.device;
  if (is_kept(machine, holding.hostdev)) return std::nullopt;
  if (is_missing(machine, holding.hostdev)) return DetachReason::kMissing;
  if (device == nullptr) return DetachReason::kLeftHost;
  if (!device->authorized) return DetachReason::kNotAuthorized;
  if (!device->digest) return std::nullopt;
  if (is_hub(*device)) return DetachReason::kHub;
  if (!world.rules().gives(*holding.machine, *device)) return DetachReason::kNoRule;
  if (holding.hostdev.ours && world.is_taken_back(*device)) return DetachReason::kTakenBack;
  return std::nullopt;
}

void plan_detaches(const World& world, Plan& plan) {
  for (const Holding& holding : world.holdings()) {
    if (!holding.domain->settled) continue;
    if (const auto reason = reason_to_detach(world, holding))
      plan.detaches.push_back({holding.domain->uuid, static_cast<const Hostdev&>(holding.hostdev),
                               holding.device == nullptr ? "" : holding.device->sysname, *reason});
  }
}

void find_contested(const World& world, Plan& plan) {
  for (const auto& [domain, machine, hostdev, device] : world.holdings())
    if (device != nullptr && machine && hostdev.ours && device->driver == DriverKind::kHost)
      plan.contested.push_back({device->sysname, domain->settled});
}

void list_empties(const World& world, Plan& plan) {
  for (const Holding& holding : world.holdings()) {
    if (!holding.machine || holding.device != nullptr) continue;
    const bool kept = !reason_to_detach(world, holding);
    if (kept || (holding.hostdev.missing && holding.hostdev.ours))
      plan.empties.push_back({holding.domain->name, holding.hostdev, kept});
  }
}

// The keyboards of the local console that no guest has or is about to get.
class HostKeyboards {
 public:
  HostKeyboards(const World& world, const DeviceMap& devices) {
    for (const auto& [sysname, device] : devices)
      if (is_one(device) && world.holding_of(device) == nullptr) left_.insert(sysname);
  }

  void give_away(const Device& device) { left_.erase(device.sysname); }

  // What the host would miss if it lost this device, too.
  std::vector<HostUse> missed_uses(const Device& device) const {
    std::vector<HostUse> uses = device.host_uses;
    if (left_.size() > 1)
      std::erase_if(uses, [](const HostUse& use) { return use.kind == HostUseKind::kKeyboard; });
    return uses;
  }

 private:
  static bool is_one(const Device& device) {
    return std::any_of(device.host_uses.begin(), device.host_uses.end(),
                       [](const HostUse& use) { return use.kind == HostUseKind::kKeyboard; });
  }

  std::set<std::string> left_;
};

// A device goes to one machine at most; the others that a rule gives it to are in conflict.
void plan_device(const World& world, const Device& device, HostKeyboards& keyboards, Plan& plan) {
  const Holding* const holding = world.in_the_way_of(device);
  std::string holder = holding == nullptr ? "" : holding->domain->name;
  const std::vector<HostUse> uses = keyboards.missed_uses(device);
  const std::vector<Claim> claims = world.rules().claims(device);
  if (claims.empty()) plan.unwanted.push_back(device.sysname);
  for (const Claim& claim : claims) {
    const std::string& machine = world.rules().machine(claim.machine).name;
    const DomainView* const domain = world.domain_of(claim.machine);
    if (domain == nullptr || domain->put_aside.contains(device.sysname) || machine == holder) continue;
    if (!holder.empty()) {
      plan.conflicts.push_back({device.sysname, machine, claim.rule, holder});
      continue;
    }
    if (!device.authorized) {
      plan.refusals.push_back({device.sysname, machine, claim.rule, {}, false});
      continue;
    }
    if (!uses.empty() && !claim.host_rule) {
      plan.refusals.push_back({device.sysname, machine, claim.rule, uses});
      continue;
    }
    holder = machine;
    keyboards.give_away(device);
    if (domain->settled && !world.is_open(*domain))
      plan.attaches.push_back({domain->uuid, device.sysname, uses.empty() ? claim.rule : *claim.host_rule});
  }
}

// A holder that is about to lose the device is in nobody's way for longer than that takes.
void drop_passing_conflicts(const World& world, const DeviceMap& devices, Plan& plan) {
  std::erase_if(plan.conflicts, [&](const Conflict& conflict) {
    const Holding* const holding = world.in_the_way_of(devices.at(conflict.sysname));
    return holding != nullptr && reason_to_detach(world, *holding);
  });
}

}  // namespace

bool can_be_attached(const Device& device) {
  return !is_hub(device) && device.vendor != 0;
}

Plan plan(const DeviceMap& devices, const std::vector<DomainView>& domains, const Rulebook& rules,
          const std::set<std::string>& put_aside, const std::set<std::string>& taken_back) {
  const World world(devices, domains, rules, taken_back);
  Plan plan;
  plan_detaches(world, plan);
  find_contested(world, plan);
  HostKeyboards keyboards(world, devices);
  for (const auto& [sysname, device] : devices)
    if (can_be_attached(device) && device.digest && !put_aside.contains(sysname))
      plan_device(world, device, keyboards, plan);
  drop_passing_conflicts(world, devices, plan);
  list_empties(world, plan);
  return plan;
}

std::vector<Held> holdings(const DeviceMap& devices, const std::vector<DomainView>& domains,
                           const Rulebook& rules) {
  const std::set<std::string> none;
  const World world(devices, domains, rules, none);
  std::vector<Held> all;
  for (const Holding& holding : world.holdings())
    if (holding.device != nullptr)
      all.push_back({holding.device->sysname, holding.domain->uuid, reason_to_detach(world, holding)});
  return all;
}

}  // namespace whawty
