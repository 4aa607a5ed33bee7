// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/changes.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

#include "common/text.h"
#include "matcher/decided/foresight.h"
#include "matcher/said/messages.h"
#include "tool/device_list.h"

namespace whawty {
namespace {

const DomainView& find(const std::vector<DomainView>& domains, const Uuid& uuid) {
  return *std::ranges::find(domains, uuid, &DomainView::uuid);
}

// Of a detach the device may be gone.
std::string subject(const Detach& detach, const DeviceMap& devices) {
  const auto found = devices.find(detach.sysname);
  return found == devices.end() ? name_of(detach.hostdev) : name_of(found->second);
}

std::string rule_of(const Attach& attach, const std::vector<DomainView>& domains) {
  return rule_name(find(domains, attach.domain).name, attach.rule);
}

// Each device's domain.
std::map<std::string, std::string> guests_of(const DeviceMap& devices, const std::vector<DomainView>& domains,
                                             const Rulebook& rules) {
  std::map<std::string, std::string> guests;
  for (const Held& held : holdings(devices, domains, rules))
    guests.emplace(held.sysname, find(domains, held.domain).name);
  return guests;
}

// Machines of these configurations of which the plan tells nothing, each once.
struct Untold {
  std::vector<std::string> not_running, not_described;
};

Untold untold_of(const std::vector<DomainView>& domains, std::initializer_list<const Rulebook*> books) {
  Untold untold;
  std::set<std::string> known;
  for (const Rulebook* const rules : books)
    for (const Machine& machine : rules->config().machines) {
      if (!known.insert(machine.name).second) continue;
      const auto found = std::ranges::find(domains, machine.name, &DomainView::name);
      if (found == domains.end())
        untold.not_running.push_back(machine.name);
      else if (!found->settled)
        untold.not_described.push_back(machine.name);
    }
  return untold;
}

std::string text_of(const Untold& untold) {
  std::string text;
  for (const std::string& name : untold.not_running)
    text += concat("machine ", show_name(name), " does not run\n");
  for (const std::string& name : untold.not_described)
    text += concat("machine ", show_name(name), ": libvirt does not tell what it has\n");
  return text;
}

Json names_json(const std::vector<std::string>& names) {
  return Json::list_of(names, [](const std::string& name) { return Json::of(name); });
}

std::string holder_text(const std::string& guest) {
  return guest.empty() ? "the host" : show_name(guest);
}

}  // namespace

std::string plan_text(const Plan& plan, const DeviceMap& devices, const std::vector<DomainView>& domains,
                      const Rulebook& rules, const Style& style) {
  std::string text;
  for (const Detach& one : plan.detaches)
    text += concat("detach ", subject(one, devices), " from ", show_name(find(domains, one.domain).name),
                   ": ", reason_of(one.reason), '\n');
  for (const Attach& one : plan.attaches)
    text += concat("attach ", name_of(devices.at(one.sysname)), " to ",
                   show_name(find(domains, one.domain).name), " by ", rule_of(one, domains), '\n');
  if (text.empty()) text = "nothing to attach or detach\n";
  for (const Refusal& one : plan.refusals)
    text += concat(name_of(devices.at(one.sysname)), " stays with the host",
                   one.authorized ? ": " + text_of(one.uses) : ", which has not authorized it", "; machine ",
                   show_name(one.machine), " wants it by ", rule_name(one.machine, one.rule), '\n');
  for (const Conflict& one : plan.conflicts)
    text += concat("machine ", show_name(one.machine), " also wants ", name_of(devices.at(one.sysname)),
                   " by ", rule_name(one.machine, one.rule), ": it stays with ", show_name(one.holder), '\n');
  return wrapped(text + text_of(untold_of(domains, {&rules})), style);
}

Json plan_json(const Plan& plan, const DeviceMap& devices, const std::vector<DomainView>& domains,
               const Rulebook& rules) {
  const auto name = [&](const std::string& sysname) {
    const auto found = devices.find(sysname);
    return found == devices.end() ? Json() : device_name_json(found->second);
  };
  const auto detach = [&](const Detach& one) {
    return Json::object({{"device", name(one.sysname)},
                         {"hostdev", Json::of(name_of(one.hostdev))},
                         {"machine", Json::of(find(domains, one.domain).name)},
                         {"reason", Json::of(reason_of(one.reason))}});
  };
  const auto attach = [&](const Attach& one) {
    return Json::object({{"device", name(one.sysname)},
                         {"machine", Json::of(find(domains, one.domain).name)},
                         {"rule", Json::of(one.rule)}});
  };
  const auto refusal = [&](const Refusal& one) {
    return Json::object({{"device", name(one.sysname)},
                         {"machine", Json::of(one.machine)},
                         {"rule", Json::of(one.rule)},
                         {"authorized", Json::of(one.authorized)},
                         {"reason", Json::of(text_of(one.uses))}});
  };
  const auto conflict = [&](const Conflict& one) {
    return Json::object({{"device", name(one.sysname)},
                         {"machine", Json::of(one.machine)},
                         {"rule", Json::of(one.rule)},
                         {"holder", Json::of(one.holder)}});
  };
  const auto [not_running, not_described] = untold_of(domains, {&rules});
  return Json::object({{"detaches", Json::list_of(plan.detaches, detach)},
                       {"attaches", Json::list_of(plan.attaches, attach)},
                       {"refusals", Json::list_of(plan.refusals, refusal)},
                       {"conflicts", Json::list_of(plan.conflicts, conflict)},
                       {"not_running", names_json(not_running)},
                       {"not_described", names_json(not_described)}});
}

Comparison compare(const DeviceMap& devices, const std::vector<DomainView>& domains, const Rulebook& before,
                   const Rulebook& after) {
  std::vector<DomainView> now = domains;
  carry_out(foresee(devices, now, before), devices, now);
  std::vector<DomainView> then = now;
  carry_out(foresee(devices, then, after), devices, then);
  std::map<std::string, std::string> from = guests_of(devices, now, before);
  std::map<std::string, std::string> to = guests_of(devices, then, after);
  auto [not_running, not_described] = untold_of(domains, {&before, &after});
  Comparison comparison{{}, std::move(not_running), std::move(not_described)};
  for (const auto& [sysname, device] : devices)
    if (from[sysname] != to[sysname]) comparison.moves.push_back({sysname, from[sysname], to[sysname]});
  return comparison;
}

std::string comparison_text(const Comparison& comparison, const DeviceMap& devices, const Style& style) {
  const auto& [moves, not_running, not_described] = comparison;
  std::string text = moves.empty() ? "no device would move\n" : "";
  for (const auto& [sysname, from, to] : moves)
    text +=
        concat(name_of(devices.at(sysname)), " goes from ", holder_text(from), " to ", holder_text(to), '\n');
  return wrapped(text + text_of({not_running, not_described}), style);
}

Json comparison_json(const Comparison& comparison, const DeviceMap& devices) {
  const auto move = [&](const Move& one) {
    return Json::object({{"device", device_name_json(devices.at(one.sysname))},
                         {"from", one.from.empty() ? Json() : Json::of(one.from)},
                         {"to", one.to.empty() ? Json() : Json::of(one.to)}});
  };
  return Json::object({{"moves", Json::list_of(comparison.moves, move)},
                       {"not_running", names_json(comparison.not_running)},
                       {"not_described", names_json(comparison.not_described)}});
}

}  // namespace whawty
