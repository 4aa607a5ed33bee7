// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/check.h"

#include <strings.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/text.h"
#include "matcher/configuration/config_node.h"
#include "matcher/configuration/config_source.h"
#include "matcher/decided/match.h"
#include "matcher/decided/rulebook.h"
#include "matcher/said/messages.h"

namespace whawty {
namespace {

constexpr std::size_t kMostExamples = 3;  // devices that a warning names

bool is_serial(const std::string& variable) {
  constexpr const char* kNames[] = {"ID_SERIAL", "ID_SERIAL_SHORT", "ID_USB_SERIAL", "ID_USB_SERIAL_SHORT"};
  return std::ranges::find(kNames, variable) != std::end(kNames);
}

bool same(const PropertyCondition& one, const PropertyCondition& other) {
  return one.name == other.name && one.equals == other.equals &&
         (one.pattern == nullptr) == (other.pattern == nullptr) &&
         (one.pattern == nullptr || one.pattern->pattern() == other.pattern->pattern());
}

// Whether whatever has the second value, or matches it, meets the first condition.
template <class Number>
bool follows(const std::optional<Number>& wider, const std::optional<Number>& narrower) {
  return !wider || wider == narrower;
}
bool follows(const PropertyCondition& wider, const Rule& narrower) {
  return std::ranges::any_of(narrower.properties, [&](const PropertyCondition& one) {
    Device device;
    if (same(wider, one)) return true;
    if (one.name != wider.name || !one.equals) return false;
    device.properties = {{one.name, *one.equals}};
    Rule alone;
    alone.properties = {wider};
    return matches(alone, device);
  });
}
bool follows(const std::vector<std::string>& wider, const std::vector<std::string>& narrower) {
  return std::ranges::all_of(
      wider, [&](const std::string& tag) { return std::ranges::find(narrower, tag) != narrower.end(); });
}

// Whether the later rule gives nothing that the earlier one does not give.
bool shadows(const Rule& earlier, const Rule& later) {
  return follows(earlier.bus, later.bus) && follows(earlier.device, later.device) &&
         follows(earlier.vendor, later.vendor) && follows(earlier.product, later.product) &&
         follows(earlier.tags, later.tags) && follows(earlier.current_tags, later.current_tags) &&
         std::ranges::all_of(earlier.properties,
                             [&](const PropertyCondition& one) { return follows(one, later); }) &&
         (earlier.allow_host_device || !later.allow_host_device);
}

std::string list_of(const std::vector<const Device*>& devices) {
  std::string text;
  for (std::size_t i = 0; i < std::min(devices.size(), kMostExamples); ++i)
    text += (i == 0 ? "" : ", ") + name_of(*devices[i]);
  return devices.size() > kMostExamples ? text + ", ..." : text;
}

class Warnings {
 public:
  Warnings(const LoadedConfig& loaded, std::span<const ConfigText> files, const Host& host)
      : loaded_(loaded), files_(files), host_(host) {}

  std::vector<Finding> all() {
    const std::vector<Machine>& machines = loaded_.config.machines;
    for (std::size_t machine = 0; machine < machines.size(); ++machine) {
      look_at_name(machine);
      for (std::size_t rule = 0; rule < machines[machine].rules.size(); ++rule) look_at_rule(machine, rule);
    }
    look_at_pairs();
    return std::move(found_);
  }

 private:
  void warn(std::size_t machine, const YamlPosition& at, const std::string& what) {
    const ConfigText& file = files_[loaded_.places[machine].file];
    found_.push_back({concat(place(file.file, at), ": ", what), show_source(file.content, at)});
  }
  void warn_of_rule(std::size_t machine, std::size_t rule, const std::string& what) {
    warn(machine, loaded_.places[machine].rules[rule],
         concat(rule_name(loaded_.config.machines[machine].name, rule), ' ', what));
  }

  void look_at_name(std::size_t machine) {
    const std::string& name = loaded_.config.machines[machine].name;
    if (!host_.domains) return;
    std::string alike;
    for (const Domain& domain : *host_.domains) {
      if (domain.guest.name == name) return;
      if (::strcasecmp(domain.guest.name.c_str(), name.c_str()) == 0) alike = domain.guest.name;
    }
    warn(machine, loaded_.places[machine].name,
         concat("libvirt knows no domain ", show_name(name),
                alike.empty() ? "" : concat("; it knows ", show_name(alike))));
  }

  void look_at_rule(std::size_t machine, std::size_t place) {
    const std::vector<Rule>& rules = loaded_.config.machines[machine].rules;
    const Rule& rule = rules[place];
    if (rule.device)
      warn_of_rule(machine, place,
                   concat("names the device number ", *rule.device, ", which changes at every plug"));
    for (const PropertyCondition& condition : rule.properties) look_at_property(machine, place, condition);
    for (std::size_t earlier = 0; earlier < place; ++earlier)
      if (shadows(rules[earlier], rule))
        return warn_of_rule(
            machine, place,
            concat("gives nothing that ", rule_name(loaded_.config.machines[machine].name, earlier),
                   " does not give: it matches all that this rule matches"));
  }

  void look_at_property(std::size_t machine, std::size_t place, const PropertyCondition& condition) {
    const Rule& rule = loaded_.config.machines[machine].rules[place];
    const std::string& name = condition.name;
    if (name == "TAGS" || name == "CURRENT_TAGS")
      warn_of_rule(machine, place,
                   concat("never matches: ", name, " is no variable here; write ",
                          name == "TAGS" ? "tags" : "current-tags", ": with a list beside env"));
    if (is_serial(name) && condition.equals) look_at_serial(machine, place, condition);
    if (name != "ID_PATH" || rule.bus) return;
    const std::vector<const Device*> devices = devices_of(rule);
    warn_of_rule(
        machine, place,
        concat("tests ID_PATH without bus: the USB 2 and the USB 3 side of a controller have the same "
               "one, for different sockets; add bus",
               devices.size() > 1 ? concat("; now it matches ", list_of(devices)) : ""));
  }

  void look_at_serial(std::size_t machine, std::size_t place, const PropertyCondition& condition) {
    const Rule& rule = loaded_.config.machines[machine].rules[place];
    Rule alone;
    alone.vendor = rule.vendor;
    alone.product = rule.product;
    alone.properties = {condition};
    const std::vector<const Device*> devices = devices_of(alone);
    if (devices.empty())
      warn_of_rule(machine, place,
                   concat("names a serial number that no device has now: ", condition.name, ' ',
                          show_word(*condition.equals)));
    if (devices.size() > 1)
      warn_of_rule(
          machine, place,
          concat("names a serial number that ", devices.size(), " devices have: ", list_of(devices)));
  }

  std::vector<const Device*> devices_of(const Rule& rule) const {
    std::vector<const Device*> devices;
    for (const auto& [sysname, device] : host_.devices)
      if (matches(rule, device)) devices.push_back(&device);
    return devices;
  }

  // Two machines that can have one device, each pair once.
  void look_at_pairs() {
    const Rulebook rules(loaded_.config);
    std::set<std::pair<std::size_t, std::size_t>> known;
    for (const auto& [sysname, device] : host_.devices) {
      const std::vector<Claim> claims = rules.claims(device);
      for (std::size_t later = 1; later < claims.size(); ++later) {
        if (!known.emplace(claims[0].machine, claims[later].machine).second) continue;
        warn_of_rule(
            claims[later].machine, claims[later].rule,
            concat("and ", rule_name(rules.machine(claims[0].machine).name, claims[0].rule), " both match ",
                   name_of(device), ": the first of the two machines that runs gets it"));
      }
    }
  }

  const LoadedConfig& loaded_;
  const std::span<const ConfigText> files_;
  const Host& host_;
  std::vector<Finding> found_;
};

std::string lines_of(const Finding& finding, const std::string& message) {
  std::string text = message + '\n';
  for (const std::string& line : finding.source) text += "        " + line + '\n';
  return text;
}

Json json_of(const Finding& finding) {
  return Json::object(
      {{"message", Json::of(finding.message)},
       {"source", Json::list_of(finding.source, [](const std::string& line) { return Json::of(line); })}});
}

}  // namespace

std::vector<Finding> mistakes(std::span<const ConfigText> files) {
  const auto all = load_config(files);
  const auto* const first = std::get_if<ConfigError>(&all);
  if (first == nullptr) return {};
  std::vector<Finding> found{{first->message, first->source}};
  for (const ConfigText& file : files.subspan(std::min<std::size_t>(files.size(), 1))) {
    const std::vector<ConfigText> alone{{"", "", "{}"}, file};
    const auto loaded = load_config(alone);
    const auto* const error = std::get_if<ConfigError>(&loaded);
    if (error != nullptr && error->message != first->message)
      found.push_back({error->message, error->source});
  }
  return found;
}

std::vector<Finding> warnings(const LoadedConfig& loaded, std::span<const ConfigText> files,
                              const Host& host) {
  return Warnings(loaded, files, host).all();
}

std::string findings_text(const std::vector<Finding>& mistakes, const std::vector<Finding>& warnings,
                          const Style& style) {
  std::string text;
  for (const Finding& one : mistakes) text += lines_of(one, red(one.message, style));
  for (const Finding& one : warnings) {
    const std::string first = wrapped("warning: " + one.message, style);
    text += lines_of(one, yellow(first.substr(0, first.find_last_not_of('\n') + 1), style));
  }
  return text;
}

Json findings_json(const std::vector<Finding>& mistakes, const std::vector<Finding>& warnings) {
  return Json::object(
      {{"mistakes", Json::list_of(mistakes, json_of)}, {"warnings", Json::list_of(warnings, json_of)}});
}

}  // namespace whawty
