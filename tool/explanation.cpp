// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/explanation.h"

#include <algorithm>

namespace whawty {
namespace {

// The plan, with the questions that are asked of it.
class Decision {
 public:
  Decision(const DeviceMap& devices, const std::vector<DomainView>& domains, const Rulebook& rules)
      : domains_(domains),
        rules_(rules),
        plan_(plan(devices, domains, rules)),
        held_(holdings(devices, domains, rules)) {}

  const Held* held(const Device& device) const {
    const auto found = std::ranges::find(held_, device.sysname, &Held::sysname);
    return found == held_.end() ? nullptr : &*found;
  }

  std::string name_of(const Uuid& domain) const {
    const auto found = std::ranges::find(domains_, domain, &DomainView::uuid);
    return found == domains_.end() ? "" : found->name;
  }

  MachineVerdict verdict(std::size_t machine, const Device& device) const {
    MachineVerdict verdict{machine};
    const Machine& of = rules_.machine(machine);
    const std::vector<Claim> claims = rules_.claims(device);
    const auto claim = std::ranges::find(claims, machine, &Claim::machine);
    if (claim != claims.end()) {
      verdict.rule = claim->rule;
    } else {
      for (const Rule& rule : of.rules) verdict.unmet.push_back(first_unmet(rule, device).value());
    }
    const auto domain = std::ranges::find(domains_, of.name, &DomainView::name);
    const Held* const held = this->held(device);
    if (held != nullptr && domain != domains_.end() && held->domain == domain->uuid) {
      const bool loses = held->lost_by && domain->settled;
      verdict.answer = loses ? Answer::kLoses : Answer::kHas;
      if (loses) verdict.lost_by = held->lost_by;
    } else if (claim != claims.end()) {
      decide(verdict, device, domain == domains_.end() ? nullptr : &*domain);
    }
    return verdict;
  }

 private:
  // For a machine with a rule that matches, and without the device.
  void decide(MachineVerdict& verdict, const Device& device, const DomainView* domain) const {
    if (domain == nullptr) {
      verdict.answer = Answer::kNotRunning;
    } else if (!can_be_attached(device)) {
      verdict.answer = Answer::kNoDevice;
    } else if (!device.digest) {
      verdict.answer = Answer::kSilent;
    } else if (const Attach* const attach = attach_of(device, *domain)) {
      verdict.answer = Answer::kGets;
      verdict.rule = attach->rule;
    } else if (const Refusal* const refusal = find(plan_.refusals, device, domain->name)) {
      verdict.answer = refusal->authorized ? Answer::kHostUses : Answer::kNotAuthorized;
      verdict.uses = refusal->uses;
    } else if (const Conflict* const conflict = find(plan_.conflicts, device, domain->name)) {
      verdict.answer = Answer::kStays;
      verdict.holder = conflict->holder;
    } else {
      verdict.answer = domain->settled ? Answer::kLater : Answer::kNotSettled;
    }
  }

  const Attach* attach_of(const Device& device, const DomainView& domain) const {
    const auto found = std::ranges::find_if(plan_.attaches, [&](const Attach& one) {
      return one.sysname == device.sysname && one.domain == domain.uuid;
    });
    return found == plan_.attaches.end() ? nullptr : &*found;
  }

  template <class Finding>
  static const Finding* find(const std::vector<Finding>& all, const Device& device,
                             const std::string& machine) {
    const auto found = std::ranges::find_if(
        all, [&](const Finding& one) { return one.sysname == device.sysname && one.machine == machine; });
    return found == all.end() ? nullptr : &*found;
  }

  const std::vector<DomainView>& domains_;
  const Rulebook& rules_;
  const Plan plan_;
  const std::vector<Held> held_;
};

}  // namespace

std::vector<Explanation> explain(const std::vector<const Device*>& asked, const DeviceMap& devices,
                                 const std::vector<DomainView>& domains, const Rulebook& rules) {
  const Decision decision(devices, domains, rules);
  std::vector<Explanation> all;
  for (const Device* const device : asked) {
    Explanation one{device, "", {}};
    if (const Held* const held = decision.held(*device)) one.holder = decision.name_of(held->domain);
    for (std::size_t machine = 0; machine < rules.config().machines.size(); ++machine)
      one.machines.push_back(decision.verdict(machine, *device));
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace whawty
