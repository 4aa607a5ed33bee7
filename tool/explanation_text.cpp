// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include <algorithm>

#include "common/text.h"
#include "matcher/said/messages.h"
#include "tool/device_list.h"
#include "tool/explanation.h"
#include "tool/host.h"
#include "tool/record.h"

namespace whawty {
namespace {

constexpr std::size_t kLongest = 120;  // bytes of a value that are shown

std::string shown(std::string_view value) {
  const std::string_view part = value.substr(0, kLongest);
  return show_word(part) + (part.size() < value.size() ? "..." : "");
}

std::string list_of(const std::vector<std::string>& tags) {
  std::string text;
  for (const std::string& tag : tags) text += (text.empty() ? "" : " ") + show_word(tag);
  return tags.empty() ? "none" : text.size() > kLongest ? shown(text) : text;
}

// A condition that is not met: which it is, what was expected, and what is.
struct Unmet {
  std::string key, expected, found;
};

Unmet unmet_property(const PropertyCondition& condition, const Device& device) {
  const std::string* const value = property_of(device, condition.name);
  return {shown(condition.name),
          condition.equals ? shown(*condition.equals) : "pattern " + shown(condition.pattern->pattern()),
          value == nullptr ? "not there" : shown(*value)};
}

Unmet describe(const Condition& condition, const Rule& rule, const Device& device) {
  using Kind = Condition::Kind;
  const auto id = [](std::uint16_t number) { return "0x" + hex(number, 4); };
  switch (condition.kind) {
    case Kind::kBus:
      return {"bus", std::to_string(rule.bus.value()), std::to_string(device.bus)};
    case Kind::kDevice:
      return {"device", std::to_string(rule.device.value()), std::to_string(device.number)};
    case Kind::kVendor:
      return {"vendor-id", id(rule.vendor.value()), id(device.vendor)};
    case Kind::kProduct:
      return {"product-id", id(rule.product.value()), id(device.product)};
    case Kind::kTag:
      return {"tags", shown(rule.tags.at(condition.place)), list_of(device.tags)};
    case Kind::kCurrentTag:
      return {"current-tags", shown(rule.current_tags.at(condition.place)), list_of(device.current_tags)};
    case Kind::kProperty:
      return unmet_property(rule.properties.at(condition.place), device);
  }
  return {};
}

constexpr std::pair<Answer, const char*> kNames[] = {
    {Answer::kNoRule, "no-rule"},
    {Answer::kHas, "has"},
    {Answer::kLoses, "loses"},
    {Answer::kGets, "gets"},
    {Answer::kStays, "stays"},
    {Answer::kHostUses, "host-uses"},
    {Answer::kNotAuthorized, "not-authorized"},
    {Answer::kNoDevice, "no-guest-can"},
    {Answer::kSilent, "does-not-answer"},
    {Answer::kNotRunning, "not-running"},
    {Answer::kNotSettled, "not-described"},
    {Answer::kLater, "later"},
};

std::string text_of(const MachineVerdict& verdict, const Device& device, const std::string& by) {
  switch (verdict.answer) {
    case Answer::kNoRule:
      return "no rule matches";
    case Answer::kHas:
      return verdict.rule ? "has it, by " + by
                          : std::string("has it, though no rule matches; nothing is done about it now");
    case Answer::kLoses:
      return "loses it: " + reason_of(verdict.lost_by.value());
    case Answer::kGets:
      return "gets it, by " + by;
    case Answer::kStays:
      return concat("wants it, by ", by, ": it stays with ", show_name(verdict.holder));
    case Answer::kHostUses:
      return concat("wants it, by ", by, ": it stays with the host: ", whawty::text_of(verdict.uses),
                    "; to allow it, say allow-host-device: true in that rule");
    case Answer::kNotAuthorized:
      return concat("wants it, by ", by, ": it stays with the host, which has not authorized it");
    case Answer::kNoDevice:
      return concat("wants it, by ", by,
                    ": no guest can have it: ", device.vendor == 0 ? "it has no vendor id" : "it is a hub");
    case Answer::kSilent:
      return concat("wants it, by ", by, ": it does not answer, so nothing is done with it");
    case Answer::kNotRunning:
      return concat("wants it, by ", by, ": the machine does not run");
    case Answer::kNotSettled:
      return concat("wants it, by ", by, ": libvirt does not tell what the machine has");
    case Answer::kLater:
      return concat("gets it, by ", by, ", when what has to be detached first is gone");
  }
  return {};
}

bool is_machine(const Rulebook& rules, const std::string& name) {
  return rules.find(name).has_value();
}

}  // namespace

std::string explanation_text(const std::vector<Explanation>& all, const Rulebook& rules, const Style& style) {
  std::string text;
  for (const auto& [device, holder, machines] : all) {
    std::string lines = bold(name_of(*device), style) + '\n';
    if (const std::string title = clean(title_of(*device), style); !title.empty())
      lines += concat("  ", title, '\n');
    if (!holder.empty() && !is_machine(rules, holder))
      lines += concat("  ", show_name(holder), ": has it, and is no machine: it keeps it\n");
    for (const MachineVerdict& verdict : machines) {
      const Machine& machine = rules.machine(verdict.machine);
      const std::string by = verdict.rule ? rule_name(machine.name, *verdict.rule) : "";
      lines += concat("  ", show_name(machine.name), ": ", text_of(verdict, *device, by), '\n');
      for (std::size_t i = 0; i < verdict.unmet.size(); ++i) {
        const Unmet unmet = describe(verdict.unmet[i], machine.rules.at(i), *device);
        lines += concat("    ", rule_name(machine.name, i), ": ", unmet.key, ": expected ", unmet.expected,
                        ", is ", unmet.found, '\n');
      }
    }
    text += (text.empty() ? "" : "\n") + wrapped(lines, style);
  }
  return text;
}

Json explanation_json(const std::vector<Explanation>& all, const Rulebook& rules) {
  const auto machine_json = [&](const MachineVerdict& verdict, const Device& device) {
    const Machine& machine = rules.machine(verdict.machine);
    std::vector<Json> unmet;
    for (std::size_t i = 0; i < verdict.unmet.size(); ++i) {
      const auto [key, expected, found] = describe(verdict.unmet[i], machine.rules.at(i), device);
      unmet.push_back(Json::object({{"rule", Json::of(i)},
                                    {"condition", Json::of(key)},
                                    {"expected", Json::of(expected)},
                                    {"found", Json::of(found)}}));
    }
    const auto use = [](const HostUse& one) {
      return Json::object({{"kind", Json::of(name_of_use(one.kind))}, {"name", Json::of(one.name)}});
    };
    return Json::object(
        {{"machine", Json::of(machine.name)},
         {"answer",
          Json::of(
              std::ranges::find(kNames, verdict.answer, &std::pair<Answer, const char*>::first)->second)},
         {"rule", verdict.rule ? Json::of(*verdict.rule) : Json()},
         {"reason", verdict.lost_by ? Json::of(reason_of(*verdict.lost_by)) : Json()},
         {"holder", verdict.holder.empty() ? Json() : Json::of(verdict.holder)},
         {"host_uses", Json::list_of(verdict.uses, use)},
         {"unmet", Json::list(unmet)}});
  };
  return Json::object({{"devices", Json::list_of(all, [&](const Explanation& one) {
                          return Json::object(
                              {{"device", device_name_json(*one.device)},
                               {"holder", one.holder.empty() ? Json() : Json::of(one.holder)},
                               {"machines", Json::list_of(one.machines, [&](const MachineVerdict& verdict) {
                                  return machine_json(verdict, *one.device);
                                })}});
                        })}});
}

}  // namespace whawty
