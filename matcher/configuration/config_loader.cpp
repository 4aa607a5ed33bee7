// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/config_loader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/bounds.h"
#include "common/text.h"
#include "matcher/configuration/config_node.h"
#include "matcher/configuration/config_pattern.h"
#include "matcher/configuration/config_source.h"
#include "matcher/configuration/go_duration.h"
#include "matcher/configuration/yaml_tree.h"
#include "protocol/device.h"

namespace whawty {
namespace {

constexpr std::size_t kLongestExcerpt = 80;   // bytes of a value in a message
constexpr std::size_t kLongestPattern = 400;  // bytes of one that RE2 quotes in its error

// More a minute than any working device has; the times of so many are kept for each port.
constexpr std::uint16_t kMostReconnects = 100;

YamlNode parse_file(const ConfigText& text, std::string_view what_an_empty_file_lacks) {
  auto parsed = parse_yaml(text.content);
  if (const auto* const error = std::get_if<YamlError>(&parsed))
    throw ConfigFault{concat(place(text.file, error->position), ": ", error->message), &text.file,
                      error->position};
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
  if (interval.count() < 0) node.fail(concat(printable(*text, kLongestExcerpt), " is negative", kExpected));
  return interval.count() == 0 ? default_interval : interval;
}

// Whether hostdevs that somebody else attached are kept.
bool read_foreign(const ConfigNode& node, bool otherwise) {
  const std::optional<std::string> text = node.text();
  if (!text) return otherwise;
  if (*text != "keep" && *text != "detach")
    node.fail(concat('\'', printable(*text, kLongestExcerpt),
                     "' is neither keep nor detach; expected one of them"));
  return *text == "keep";
}

// A machine as one file has it. What is wrong with its values counts only if no file of machines.d replaces
// it: a main file may have `webcam:` alone to keep its place in the order. Unknown keys and values of a wrong
// kind are faults in any case.
struct ReadMachine {
  Machine machine;
  std::string place;
  MachinePlace positions;
  std::optional<ConfigFault> fault{};  // the first

  void fail(const ConfigNode& node, std::string_view what) {
    if (!fault) fault = node.fault(what);
  }
};

std::shared_ptr<const RE2> read_pattern(const ConfigNode& node, ReadMachine& read) {
  const std::optional<std::string> text = node.free_text();
  if (!text) return nullptr;
  auto pattern = compile_pattern(*text);
  if (!pattern->ok())
    read.fail(node, concat("not a regular expression that RE2 takes: ",
                           printable(pattern->error(), kLongestPattern)));
  return pattern;
}

PropertyCondition read_property(const ConfigNode& node, ReadMachine& read) {
  node.expect_keys({"name", "equals", "pattern"});
  PropertyCondition condition;
  condition.name = node["name"].free_text().value_or("");
  if (node["name"].absent()) read.fail(node, "no name; expected the name of a udev variable");
  if (condition.name.empty()) read.fail(node["name"], "empty; expected a name");
  condition.equals = node["equals"].free_text();
  condition.pattern = read_pattern(node["pattern"], read);
  if (condition.equals && condition.pattern) read.fail(node, "both equals and pattern; expected one of them");
  for (const char* const key : {"equals", "pattern"})
    if (!condition.equals && !condition.pattern && node.has(key))
      read.fail(node[key], "no value; write a text that begins with # in quotes, and the empty text as ''");
  if (!condition.equals && !condition.pattern)
    read.fail(node, "neither equals nor pattern; expected one of them (equals: '' is the empty text)");
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

Rule read_rule(const ConfigNode& node, ReadMachine& read) {
  node.expect_keys({"bus", "device", "vendor-id", "product-id", "udev", "allow-host-device"});
  Rule rule;
  rule.bus = node["bus"].decimal_number(1, kMaxBus);
  rule.device = node["device"].decimal_number(1, kMaxDeviceNumber);
  rule.vendor = node["vendor-id"].id_number();
  rule.product = node["product-id"].id_number();
  const ConfigNode udev = node["udev"];
  udev.expect_keys({"env", "tags", "current-tags"});
  for (const ConfigNode& entry : udev["env"].items()) rule.properties.push_back(read_property(entry, read));
  rule.tags = read_tags(udev["tags"]);
  rule.current_tags = read_tags(udev["current-tags"]);
  rule.allow_host_device = node["allow-host-device"].boolean().value_or(false);
  if (!has_condition(rule))
    read.fail(node, "no condition, which would match every device; expected at least one");
  return rule;
}

ReadMachine read_machine(std::string name, const ConfigNode& node, bool keep_foreign, std::size_t file) {
  node.expect_keys({"devices", "foreign-devices"});
  ReadMachine read{.machine = {}, .place = node.place(), .positions = {file, node.position(), {}}};
  read.machine.name = std::move(name);
  read.machine.keep_foreign = read_foreign(node["foreign-devices"], keep_foreign);
  for (const ConfigNode& item : node["devices"].items()) {
    read.positions.rules.push_back(item.position());
    read.machine.rules.push_back(read_rule(item, read));
  }
  if (read.machine.rules.empty())
    read.fail(node, "no devices; expected devices: with a list of at least one rule");
  return read;
}

// The configuration as it comes together.
class Loader {
 public:
  void main_file(const ConfigText& text) {
    const YamlNode root = parse_file(text, "write {} if no machine is to have devices");
    const ConfigNode node(text.file, root);
    node.expect_keys({"interval", "foreign-devices", "max-reconnects", "machines"});
    Config& config = loaded_.config;
    config.interval = read_interval(node["interval"]);
    config.max_reconnects =
        node["max-reconnects"].decimal_number(0, kMostReconnects).value_or(config.max_reconnects);
    keep_foreign_ = read_foreign(node["foreign-devices"], false);
    for (const ConfigNode& entry : node["machines"].entries()) {
      if (entry.key().empty())
        entry.fail_at_key("a machine without a name; expected that of a libvirt domain");
      machines_.push_back(read_machine(entry.key(), entry, keep_foreign_, 0));
    }
    of_main_file_ = machines_.size();
  }

  void machine_file(const ConfigText& text, std::size_t file) {
    const YamlNode root = parse_file(text, "expected devices: with a list of at least one rule");
    const ConfigNode node(text.file, root);
    if (text.machine.empty())
      node.fail("the file's name names no machine; expected that of a libvirt domain and .yml");
    ReadMachine read = read_machine(text.machine, node, keep_foreign_, file);
    const auto same = std::find_if(machines_.begin(), machines_.end(), [&](const ReadMachine& one) {
      return one.machine.name == read.machine.name;
    });
    if (same == machines_.end()) {
      machines_.push_back(std::move(read));
      return;
    }
    const auto index = static_cast<std::size_t>(same - machines_.begin());
    const std::string name = show_name(read.machine.name);
    if (index >= of_main_file_ || replaced(index))
      node.fail(concat("a second file for machine ", name, "; the first is ", same->place));
    loaded_.notices.push_back(concat(read.place, ": machine ", name, " replaces the one of ", same->place));
    *same = std::move(read);
    replaced_.push_back(index);
  }

  LoadedConfig take() {
    for (ReadMachine& read : machines_) {
      if (read.fault) throw *std::move(read.fault);
      loaded_.config.machines.push_back(std::move(read.machine));
      loaded_.places.push_back(std::move(read.positions));
    }
    return std::move(loaded_);
  }

 private:
  bool replaced(std::size_t index) const {
    return std::find(replaced_.begin(), replaced_.end(), index) != replaced_.end();
  }

  LoadedConfig loaded_;
  bool keep_foreign_ = false;  // of machines that do not say it themselves
  std::vector<ReadMachine> machines_;
  std::size_t of_main_file_ = 0;  // so many machines came from the main file, and are the first
  std::vector<std::size_t> replaced_;
};

// The text of the place of a fault, for people to look at.
std::vector<std::string> source_of(const ConfigFault& fault, std::span<const ConfigText> files) {
  for (const ConfigText& text : files)
    if (&text.file == fault.file) return show_source(text.content, fault.position);
  return {};
}

}  // namespace

std::variant<LoadedConfig, ConfigError> load_config(std::span<const ConfigText> files) {
  if (files.empty() || !files.front().machine.empty()) return ConfigError{"no main configuration file", {}};
  try {
    Loader loader;
    loader.main_file(files.front());
    for (std::size_t i = 1; i < files.size(); ++i) loader.machine_file(files[i], i);
    return loader.take();
  } catch (const ConfigFault& fault) {
    return ConfigError{fault.message, source_of(fault, files)};
  }
}

}  // namespace whawty
