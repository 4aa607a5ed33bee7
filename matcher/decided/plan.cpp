// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/plan.h"

#include <algorithm>
#include <optional>

#include "matcher/decided/match.h"
#include "protocol/hostdev_alias.h"

namespace whawty {
namespace {

// A hostdev of a domain, and the device that it stands for, if that is on the host.
struct Holding {
  const DomainView* domain;
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

// One look at the world, with the questions that the plan asks of it.
class World {
 public:
  World(const DeviceMap& devices, const std::vector<DomainView>& domains, const Config& config,
        const std::set<std::string>& taken_back)
      : devices_(devices), domains_(domains), config_(config), taken_back_(taken_back) {
    // Where a hostdev gives no address, several devices may fit: those with an address have the first choice.
    for (const bool with_address : {true, false})
      for (const DomainView& domain : domains_)
        for (const LiveHostdev& hostdev : domain.hostdevs)
          if ((hostdev.bus != 0) == with_address) add_holding(domain, hostdev);
  }

  const std::vector<Holding>& holdings() const { return holdings_; }

  const Holding* holding_of(const Device& device) const {
    const auto found = std::find_if(holdings_.begin(), holdings_.end(),
                                    [&](const Holding& holding) { return holding.device == &device; });
    return found == holdings_.end() ? nullptr : &*found;
  }

  // Its holding, or one that stands for a device which had its address before: libvirt attaches no other
  // until that is gone. One that is missing has no device in libvirt's books.
  const Holding* in_the_way_of(const Device& device) const {
    if (const Holding* const holding = holding_of(device)) return holding;
    const auto stale = std::find_if(holdings_.begin(), holdings_.end(), [&](const Holding& holding) {
      return holding.device == nullptr && !holding.hostdev.missing && has_address(holding.hostdev, device);
    });
    return stale == holdings_.end() ? nullptr : &*stale;
  }

  bool is_taken_back(const Device& device) const {
    return device.driver == DriverKind::kHost && taken_back_.contains(device.sysname);
  }

  const Machine* machine_of(const DomainView& domain) const {
    const auto found = std::find_if(config_.machines.begin(), config_.machines.end(),
                                    [&](const Machine& machine) { return machine.name == domain.name; });
    return found == config_.machines.end() ? nullptr : &*found;
  }

  const DomainView* domain_of(const Machine& machine) const {
    const auto found = std::find_if(domains_.begin(), domains_.end(),
                                    [&](const DomainView& domain) { return domain.name == machine.name; });
    return found == domains_.end() ? nullptr : &*found;
  }

 private:
  void add_holding(const DomainView& domain, const LiveHostdev& hostdev) {
    const Machine* const machine = machine_of(domain);
    const Device* fitting = nullptr;
    if (machine != nullptr &&
        std::find(domain.orphans.begin(), domain.orphans.end(), hostdev) != domain.orphans.end()) {
      holdings_.push_back({&domain, hostdev, nullptr});
      return;
    }
    for (const auto& [sysname, device] : devices_) {
      if (!stands_for(hostdev, device) || holding_of(device) != nullptr) continue;
      const bool by_rule = machine != nullptr && first_match(*machine, device);
      if (fitting == nullptr || by_rule) fitting = &device;
      if (by_rule) break;
    }
    holdings_.push_back({&domain, hostdev, fitting});
  }

  const DeviceMap& devices_;
  const std::vector<DomainView>& domains_;
  const Config& config_;
  const std::set<std::string>& taken_back_;
  std::vector<Holding> holdings_;
};

std::optional<DetachReason> reason_to_detach(const World& world, const Machine& machine,
                                             const Holding& holding) {
  const Device* const device = holding.device;
  if (machine.keep_foreign && !holding.hostdev.ours) return std::nullopt;
  if (holding.hostdev.missing) return DetachReason::kMissing;
  if (device == nullptr) return DetachReason::kLeftHost;
  if (!device->authorized) return DetachReason::kNotAuthorized;
  if (!device->digest) return std::nullopt;
  if (is_hub(*device)) return DetachReason::kHub;
  if (!first_match(machine, *device)) return DetachReason::kNoRule;
  if (holding.hostdev.ours && world.is_taken_back(*device)) return DetachReason::kTakenBack;
  return std::nullopt;
}

void plan_detaches(const World& world, Plan& plan) {
  for (const Holding& holding : world.holdings()) {
    const auto& [domain, hostdev, device] = holding;
    const Machine* const machine = world.machine_of(*domain);
    if (machine == nullptr || !domain->settled) continue;
    if (const auto reason = reason_to_detach(world, *machine, holding))
      plan.detaches.push_back({domain->uuid, static_cast<const Hostdev&>(hostdev),
                               device == nullptr ? "" : device->sysname, *reason});
  }
}

void find_contested(const World& world, Plan& plan) {
  for (const auto& [domain, hostdev, device] : world.holdings())
    if (device != nullptr && hostdev.ours && device->driver == DriverKind::kHost &&
        world.machine_of(*domain) != nullptr)
      plan.contested.push_back({device->sysname, domain->settled});
}

void list_empties(const World& world, Plan& plan) {
  for (const Holding& holding : world.holdings()) {
    const Machine* const machine = world.machine_of(*holding.domain);
    if (machine == nullptr || holding.device != nullptr) continue;
    const bool kept = !reason_to_detach(world, *machine, holding);
    if (kept || (holding.hostdev.missing && holding.hostdev.ours))
      plan.empties.push_back({machine->name, holding.hostdev, kept});
  }
}

// Whether it is to lose a hostdev for which QEMU takes any device that it can open.
bool is_open(const World& world, const Machine& machine, const DomainView& domain) {
  return std::any_of(world.holdings().begin(), world.holdings().end(), [&](const Holding& holding) {
    return holding.domain == &domain && reason_to_detach(world, machine, holding) == DetachReason::kMissing;
  });
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
void plan_device(const World& world, const Config& config, const Device& device, HostKeyboards& keyboards,
                 Plan& plan) {
  const Holding* const holding = world.in_the_way_of(device);
  std::string holder = holding == nullptr ? "" : holding->domain->name;
  const std::vector<HostUse> uses = keyboards.missed_uses(device);
  for (const Machine& machine : config.machines) {
    const DomainView* const domain = world.domain_of(machine);
    const bool possible = domain != nullptr && !domain->put_aside.contains(device.sysname);
    auto rule = possible ? first_match(machine, device) : std::nullopt;
    if (!rule || machine.name == holder) continue;
    if (!holder.empty()) {
      plan.conflicts.push_back({device.sysname, machine.name, *rule, holder});
      continue;
    }
    if (!device.authorized) {
      plan.refusals.push_back({device.sysname, machine.name, *rule, {}, false});
      continue;
    }
    const auto allowing = uses.empty() ? rule : first_match_for_host_device(machine, device);
    if (!allowing) {
      plan.refusals.push_back({device.sysname, machine.name, *rule, uses});
      continue;
    }
    rule = allowing;
    holder = machine.name;
    keyboards.give_away(device);
    if (domain->settled && !is_open(world, machine, *domain))
      plan.attaches.push_back({domain->uuid, device.sysname, *rule});
  }
}

// A holder that is about to lose the device is in nobody's way for longer than that takes.
void drop_passing_conflicts(const World& world, const DeviceMap& devices, Plan& plan) {
  std::erase_if(plan.conflicts, [&](const Conflict& conflict) {
    const Holding* const holding = world.in_the_way_of(devices.at(conflict.sysname));
    const Machine* const machine = holding == nullptr ? nullptr : world.machine_of(*holding->domain);
    return machine != nullptr && reason_to_detach(world, *machine, *holding);
  });
}

}  // namespace

bool can_be_attached(const Device& device) {
  return !is_hub(device) && device.vendor != 0;
}

Plan plan(const DeviceMap& devices, const std::vector<DomainView>& domains, const Config& config,
          const std::set<std::string>& put_aside, const std::set<std::string>& taken_back) {
  const World world(devices, domains, config, taken_back);
  Plan plan;
  plan_detaches(world, plan);
  find_contested(world, plan);
  HostKeyboards keyboards(world, devices);
  for (const auto& [sysname, device] : devices)
    if (can_be_attached(device) && device.digest && !put_aside.contains(sysname))
      plan_device(world, config, device, keyboards, plan);
  drop_passing_conflicts(world, devices, plan);
  list_empties(world, plan);
  return plan;
}

}  // namespace whawty
