// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include <algorithm>
#include <span>

#include "matcher/configuration/config_loader.h"
#include "tests/fuzz/printable.h"
#include "tests/fuzz/targets.h"

namespace whawty::fuzz {
namespace {

constexpr char kNextFile = '\x01';  // in no YAML

std::vector<ConfigText> files_of(std::string_view bytes) {
  std::vector<ConfigText> files{{"main.yml", "", std::string(bytes.substr(0, bytes.find(kNextFile)))}};
  while (bytes.find(kNextFile) != std::string_view::npos) {
    bytes.remove_prefix(bytes.find(kNextFile) + 1);
    const std::string_view file = bytes.substr(0, bytes.find(kNextFile));
    const std::size_t name = std::min(file.find('\n'), file.size());
    files.push_back(
        {"machines.d/file.yml", std::string(file.substr(0, name)), std::string(file.substr(name))});
  }
  return files;
}

bool is_usable(const PropertyCondition& condition) {
  return !condition.name.empty() && condition.equals.has_value() == !condition.pattern &&
         (!condition.pattern || condition.pattern->ok());
}

bool is_usable(const Rule& rule) {
  const bool any = rule.bus || rule.device || rule.vendor || rule.product || !rule.properties.empty() ||
                   !rule.tags.empty() || !rule.current_tags.empty();
  return any && std::all_of(rule.properties.begin(), rule.properties.end(),
                            [](const PropertyCondition& one) { return is_usable(one); });
}

bool is_usable(const Machine& machine) {
  return !machine.name.empty() && !machine.rules.empty() &&
         std::all_of(machine.rules.begin(), machine.rules.end(),
                     [](const Rule& one) { return is_usable(one); });
}

}  // namespace

bool configuration(std::string_view bytes) {
  const auto loaded = load_config(files_of(bytes));
  if (const auto* const error = std::get_if<ConfigError>(&loaded)) {
    require(is_a_printable_line(error->message), "an error is not one printable line");
    return false;
  }
  const auto& [config, places, notices] = std::get<LoadedConfig>(loaded);
  require(places.size() == config.machines.size(), "a machine without a place");
  require(config.interval.count() > 0, "an interval that never ends, or always");
  require(std::all_of(config.machines.begin(), config.machines.end(),
                      [](const Machine& one) { return is_usable(one); }),
          "a machine without a name or a rule, or with an empty one");
  require(std::all_of(notices.begin(), notices.end(), is_a_printable_line),
          "a notice is not one printable line");
  return true;
}

}  // namespace whawty::fuzz
