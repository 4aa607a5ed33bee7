// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include <algorithm>
#include <optional>
#include <set>

#include "matcher/decided/match.h"
#include "matcher/decided/plan.h"
#include "tests/fuzz/machines.h"
#include "tests/fuzz/reader.h"

namespace whawty::fuzz {
namespace {

DeviceMap read_devices(Reader& bytes) {
  DeviceMap devices;
  for (unsigned i = bytes.below(12); i > 0; --i) {
    Device device = read_device(bytes);
    devices.insert_or_assign(device.sysname, std::move(device));
  }
  return devices;
}

void add_hostdev(DomainView& domain, const Hostdev& hostdev) {
  LiveHostdev live{hostdev, hostdev.product == 1, {}};
  // Of a device with such a digest, or of one that is gone.
  if (live.ours) live.mark = hostdev.vendor % 2;
  live.missing = (hostdev.product == 2 && hostdev.vendor % 2 == 0) || (live.ours && hostdev.vendor % 8 == 0);
  domain.hostdevs.push_back(live);
}

std::vector<DomainView> read_domains(Reader& bytes) {
  std::vector<DomainView> domains;
  for (unsigned i = bytes.below(5); i > 0; --i) {
    DomainView domain{
        {1, i}, std::string(1, static_cast<char>('a' + bytes.below(3))), {}, bytes.below(4) != 0};
    for (unsigned j = bytes.below(6); j > 0; --j) add_hostdev(domain, read_hostdev(bytes));
    domains.push_back(std::move(domain));
  }
  return domains;
}

const DomainView& domain_of(const Uuid& uuid, const std::vector<DomainView>& domains) {
  const auto found =
      std::find_if(domains.begin(), domains.end(), [&](const DomainView& one) { return one.uuid == uuid; });
  require(found != domains.end(), "something is planned for no domain");
  require(found->settled, "something is planned for a domain that is not settled");
  return *found;
}

// The attaches, but for those to guests that are to lose what was missing: they have to wait.
std::vector<std::pair<Uuid, std::string>> attaches_at_once(const Plan& plan, const Plan& with_missing) {
  std::vector<std::pair<Uuid, std::string>> attaches;
  const auto has_to_wait = [&](const Uuid& domain) {
    return std::any_of(with_missing.detaches.begin(), with_missing.detaches.end(), [&](const Detach& one) {
      return one.domain == domain && one.reason == DetachReason::kMissing;
    });
  };
  for (const Attach& one : plan.attaches)
    if (!has_to_wait(one.domain)) attaches.emplace_back(one.domain, one.sysname);
  return attaches;
}

// What was missing when its guest started changes nothing for any device.
void check_missing(const Plan& plan, const DeviceMap& devices, std::vector<DomainView> domains,
                   const Rulebook& rules) {
  for (DomainView& domain : domains)
    std::erase_if(domain.hostdevs, [](const LiveHostdev& hostdev) { return hostdev.missing; });
  const Plan without = whawty::plan(devices, domains, rules);
  require(plan.conflicts == without.conflicts && plan.refusals == without.refusals,
          "a device is kept from a machine by a hostdev that does not have it");
  const auto attaches = attaches_at_once(plan, plan);
  require(attaches == attaches_at_once(without, plan),
          "what is attached depends on a hostdev without a device");
  require(attaches.size() == plan.attaches.size(),
          "a guest is to get what QEMU could take for a missing device");
}

// By comparing each rule with each device.
std::vector<Claim> claims_of(const Config& config, const Device& device) {
  std::vector<Claim> claims;
  for (std::uint32_t machine = 0; machine < config.machines.size(); ++machine) {
    std::optional<std::uint32_t> first, host;
    const std::vector<Rule>& rules = config.machines[machine].rules;
    for (std::uint32_t rule = 0; rule < rules.size(); ++rule) {
      if (!matches(rules[rule], device)) continue;
      if (!first) first = rule;
      if (rules[rule].allow_host_device && !host) host = rule;
    }
    if (first) claims.push_back({machine, *first, host});
  }
  return claims;
}

void check_claims(const Rulebook& rules, const DeviceMap& devices) {
  for (const auto& [sysname, device] : devices)
    require(rules.claims(device) == claims_of(rules.config(), device),
            "a device is claimed otherwise than by its rules");
}

bool is_keyboard(const HostUse& use) {
  return use.kind == HostUseKind::kKeyboard;
}

void check(const Plan& plan, const DeviceMap& devices, const std::vector<DomainView>& domains,
           const Config& config) {
  for (const Detach& detach : plan.detaches) {
    const DomainView& domain = domain_of(detach.domain, domains);
    const auto& hostdevs = domain.hostdevs;
    require(std::find(hostdevs.begin(), hostdevs.end(), detach.hostdev) != hostdevs.end(),
            "a domain is to lose what it does not have");
    require(domain.name != kKeepsForeign || detach.hostdev.product == 1,
            "a domain is to lose what it keeps, as somebody else attached it");
  }
  std::set<std::string> attached;
  for (const Attach& attach : plan.attaches) {
    const Device& device = devices.at(attach.sysname);
    const std::string& name = domain_of(attach.domain, domains).name;
    const auto machine = std::find_if(config.machines.begin(), config.machines.end(),
                                      [&](const Machine& one) { return one.name == name; });
    require(machine != config.machines.end(), "a domain that is not configured is to get a device");
    const bool keyboard_only = std::all_of(device.host_uses.begin(), device.host_uses.end(), is_keyboard);
    const auto rule = machine->rules.begin() + static_cast<std::ptrdiff_t>(attach.rule);
    const bool is_first = std::none_of(machine->rules.begin(), rule, [&](const Rule& before) {
      return (before.allow_host_device || !rule->allow_host_device) && matches(before, device);
    });
    require(is_first && matches(*rule, device), "a device is attached by another rule than the first");
    require(keyboard_only || machine->rules[attach.rule].allow_host_device,
            "a device that the host is using is attached");
    require(can_be_attached(device), "what no guest can have is attached");
    require(device.authorized, "a device that the host has not authorized is attached");
    require(device.digest.has_value(), "a device is attached that could be any");
    require(attached.insert(attach.sysname).second, "two domains are to get one device");
  }
}

}  // namespace

bool matching(std::string_view bytes) {
  const Rulebook rules(two_machines());
  Reader reader(bytes);
  const DeviceMap devices = read_devices(reader);
  const std::vector<DomainView> domains = read_domains(reader);
  check_claims(rules, devices);
  const Plan plan = whawty::plan(devices, domains, rules);
  check(plan, devices, domains, rules.config());
  check_missing(plan, devices, domains, rules);
  return !plan.attaches.empty() || !plan.detaches.empty();
}

}  // namespace whawty::fuzz
