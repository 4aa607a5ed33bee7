// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/matcher/config_text.h"

#include <stdexcept>
#include <vector>

#include "common/text.h"

namespace whawty {
namespace {

std::string to_text(const PropertyCondition& condition) {
  const std::string name = "    property " + escape(condition.name);
  if (condition.equals && !condition.pattern)
    return concat(name, " equals '", escape(*condition.equals), "'\n");
  if (condition.pattern && !condition.equals)
    return concat(name, " has '", escape(condition.pattern->pattern()), "'\n");
  return name + " is broken\n";
}

std::string to_text(const Rule& rule) {
  std::string text = "  rule\n";
  if (rule.bus) text += concat("    bus ", *rule.bus, '\n');
  if (rule.device) text += concat("    device ", *rule.device, '\n');
  if (rule.vendor) text += concat("    vendor ", hex(*rule.vendor, 4), '\n');
  if (rule.product) text += concat("    product ", hex(*rule.product, 4), '\n');
  for (const PropertyCondition& condition : rule.properties) text += to_text(condition);
  for (const std::string& tag : rule.tags) text += concat("    tag '", escape(tag), "'\n");
  for (const std::string& tag : rule.current_tags) text += concat("    current tag '", escape(tag), "'\n");
  if (rule.allow_host_device) text += "    allow host device\n";
  return text;
}

}  // namespace

Config load(const std::string& yaml) {
  const auto loaded = load_config(std::vector<ConfigText>{{"test.yml", "", yaml}});
  if (const auto* const error = std::get_if<ConfigError>(&loaded)) throw std::runtime_error(error->message);
  return std::get<LoadedConfig>(loaded).config;
}

std::string to_text(const LoadedConfig& loaded) {
  std::string text = concat("interval ", loaded.config.interval.count(), " ns\n");
  if (loaded.config.max_reconnects != Config{}.max_reconnects)
    text += concat("reconnects ", loaded.config.max_reconnects, '\n');
  for (const Machine& machine : loaded.config.machines) {
    text += concat("machine ", escape(machine.name), machine.keep_foreign ? " keeps foreign" : "", '\n');
    for (const Rule& rule : machine.rules) text += to_text(rule);
  }
  for (const std::string& notice : loaded.notices) text += concat("notice ", notice, '\n');
  return text;
}

}  // namespace whawty
