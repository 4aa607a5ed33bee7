// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/config_loader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/text.h"
#include "matcher/config_node.h"
#include "matcher/go_duration.h"
#include "matcher/yaml_tree.h"
#include "protocol/device.h"

namespace whawty {
namespace {

// What a compiled pattern and the automaton that RE2 builds while it searches may take. With less than it
// needs RE2 searches more slowly, but finds the same.
constexpr std::int64_t kMaxPatternMemory = 8 * 1024 * 1024;  // bytes

// More a minute than any working device has; the times of so many are kept for each port.
constexpr std::uint16_t kMostReconnects = 100;

YamlNode parse_file(const ConfigText& text, std::string_view what_an_empty_file_lacks) {
  auto parsed = parse_yaml(text.content);
  if (const auto* const error = std::get_if<YamlError>(&parsed))
    throw ConfigFault{concat(place(text.file, error->position), ": ", error->message)};
  auto& root = std::get<YamlNode>(parsed);
  if (root.kind == YamlNode::Kind::kNull)
    ConfigNode(text.file, root).fail(concat("the file is empty; ", what_an_empty_file_lacks));
  return std::move(root);
}

std::chrono::nanoseconds read_interval(const ConfigNode& node) {
  const std::chrono::nanoseconds default_interval = Config{}.interval;
  constexpr std::string_view kExpected = "; expected a duration such as 300ms, 5s or 1m30s";
  const std::optional<std::string> text = node.text();
  if (!text) return default_interval;
  const auto parsed = parse_go_duration(*text);
  if (const auto* const error = std::get_if<DurationError>(&parsed))
    node.fail(concat(error->message, kExpected));
  const auto interval = std::get<std::chrono::nanoseconds>(parsed);
  if (interval.count() < 0) node.fail(concat(escape(*text), " is negative", kExpected));
  return interval.count() == 0 ? default_interval : interval;
}

// Whether hostdevs that somebody else attached are kept.
bool read_foreign(const ConfigNode& node, bool otherwise) {
  const std::optional<std::string> text = node.text();
  if (!text) return otherwise;
  if (*text != "keep" && *text != "detach")
    node.fail(concat('\'', escape(*text), "' is neither keep nor detach; expected one of them"));
  return *text == "keep";
}

// Patterns are UTF-8, as in the original. A device's value need not be: match.cpp sees to that.
std::shared_ptr<const RE2> read_pattern(const ConfigNode& node) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxPatternMemory);
  options.set_never_capture(true);
  auto pattern = std::make_shared<const RE2>(node.text().value(), options);
  if (!pattern->ok())
    node.fail(concat("not a regular expression that RE2 takes: ", escape(pattern->error())));
  return pattern;
}

PropertyCondition read_property(const ConfigNode& node) {
  node.expect_keys({"name", "equals", "pattern"});
  PropertyCondition condition;
  if (node["name"].absent()) node.fail("no name; expected the name of a udev variable");
  condition.name = node["name"].name();
  condition.equals = node["equals"].text();
  if (node["pattern"].text()) condition.pattern = read_pattern(node["pattern"]);
  if (condition.equals && condition.pattern) node.fail("both equals and pattern; expected one of them");
  if (!condition.equals && !condition.pattern)
    node.fail("neither equals nor pattern; expected one of them (equals: '' is the empty text)");
  return condition;
}

std::vector<std::string> read_tags(const ConfigNode& node) {
  std::vector<std::string> tags;
  for (const ConfigNode& item : node.items()) tags.push_back(item.name());
  return tags;
}

bool has_condition(const Rule& rule) {
  return rule.bus || rule.device || rule.vendor || rule.product || !rule.properties.empty() ||
         !rule.tags.empty() || !rule.current_tags.empty();
}

Rule read_rule(const ConfigNode& node) {
  node.expect_keys({"bus", "device", "vendor-id", "product-id", "udev", "allow-host-device"});
  Rule rule;
  rule.bus = node["bus"].decimal_number(1, kMaxBus);
  rule.device = node["device"].decimal_number(1, kMaxDeviceNumber);
  rule.vendor = node["vendor-id"].id_number();
  rule.product = node["product-id"].id_number();
  const ConfigNode udev = node["udev"];
  udev.expect_keys({"env", "tags", "current-tags"});
  for (const ConfigNode& entry : udev["env"].items()) rule.properties.push_back(read_property(entry));
  rule.tags = read_tags(udev["tags"]);
  rule.current_tags = read_tags(udev["current-tags"]);
  rule.allow_host_device = node["allow-host-device"].boolean().value_or(false);
  if (!has_condition(rule)) node.fail("no condition, which would match every device; expected at least one");
  return rule;
}

Machine read_machine(std::string name, const ConfigNode& node, bool keep_foreign) {
  node.expect_keys({"devices", "foreign-devices"});
  Machine machine;
  machine.name = std::move(name);
  machine.keep_foreign = read_foreign(node["foreign-devices"], keep_foreign);
  for (const ConfigNode& item : node["devices"].items()) machine.rules.push_back(read_rule(item));
  if (machine.rules.empty()) node.fail("no devices; expected devices: with a list of at least one matcher");
  return machine;
}

// The configuration as it comes together, with the place of every machine.
class Loader {
 public:
  void main_file(const ConfigText& text) {
    const YamlNode root = parse_file(text, "write {} if no machine is to have devices");
    const ConfigNode node(text.file, root);
    node.expect_keys({"interval", "foreign-devices", "max-reconnects", "machines"});
    loaded_.config.interval = read_interval(node["interval"]);
    Config& config = loaded_.config;
    config.max_reconnects =
        node["max-reconnects"].decimal_number(0, kMostReconnects).value_or(config.max_reconnects);
    keep_foreign_ = read_foreign(node["foreign-devices"], false);
    for (const ConfigNode& entry : node["machines"].entries()) {
      if (entry.key().empty())
        entry.fail_at_key("a machine without a name; expected that of a libvirt domain");
      loaded_.config.machines.push_back(read_machine(entry.key(), entry, keep_foreign_));
      places_.push_back(entry.place());
    }
    of_main_file_ = places_.size();
  }

  void machine_file(const ConfigText& text) {
    const YamlNode root = parse_file(text, "expected devices: with a list of at least one matcher");
    const ConfigNode node(text.file, root);
    if (text.machine.empty())
      node.fail("the file's name names no machine; expected that of a libvirt domain and .yml");
    Machine machine = read_machine(text.machine, node, keep_foreign_);
    std::vector<Machine>& machines = loaded_.config.machines;
    const auto same = std::find_if(machines.begin(), machines.end(),
                                   [&](const Machine& m) { return m.name == machine.name; });
    if (same == machines.end()) {
      machines.push_back(std::move(machine));
      places_.push_back(node.place());
      return;
    }
    const auto index = static_cast<std::size_t>(same - machines.begin());
    const std::string name = show_name(machine.name);
    if (index >= of_main_file_ || replaced(index))
      node.fail(concat("a second file for machine ", name, "; the first is ", places_[index]));
    loaded_.notices.push_back(
        concat(node.place(), ": machine ", name, " replaces the one of ", places_[index]));
    *same = std::move(machine);
    places_[index] = node.place();
    replaced_.push_back(index);
  }

  LoadedConfig take() { return std::move(loaded_); }

 private:
  bool replaced(std::size_t index) const {
    return std::find(replaced_.begin(), replaced_.end(), index) != replaced_.end();
  }

  LoadedConfig loaded_;
  bool keep_foreign_ = false;        // of machines that do not say it themselves
  std::vector<std::string> places_;  // of each machine
  std::size_t of_main_file_ = 0;     // so many machines came from the main file, and are the first
  std::vector<std::size_t> replaced_;
};

}  // namespace

std::variant<LoadedConfig, ConfigError> load_config(std::span<const ConfigText> files) {
  if (files.empty() || !files.front().machine.empty()) return ConfigError{"no main configuration file"};
  try {
    Loader loader;
    loader.main_file(files.front());
    for (const ConfigText& text : files.subspan(1)) loader.machine_file(text);
    return loader.take();
  } catch (const ConfigFault& fault) {
    return ConfigError{fault.message};
  }
}

}  // namespace whawty
