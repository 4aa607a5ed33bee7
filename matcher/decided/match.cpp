// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/match.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "matcher/configuration/utf8.h"

namespace whawty {
namespace {

// The value as Go's regexp reads it: each byte that is not UTF-8 is one U+FFFD. RE2 itself lets no pattern,
// not even a dot, match such a byte, and its Latin-1 mode would take each byte of a pattern's umlaut for a
// letter of its own.
std::string readable(std::string_view bytes) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    text += length > 0 ? bytes.substr(0, length) : kReplacement;
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

bool is_found(const RE2& pattern, std::string_view bytes) {
  const std::string text = readable(bytes);
  return pattern.Match(text, 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

bool holds(const PropertyCondition& condition, const Device& device) {
  const auto property =
      std::lower_bound(device.properties.begin(), device.properties.end(), condition.name,
                       [](const Property& p, const std::string& name) { return p.name < name; });
  if (property == device.properties.end() || property->name != condition.name) return false;
  if (condition.equals) return property->value == *condition.equals;
  return is_found(*condition.pattern, property->value);
}

// The place of the first that is not among the tags; nothing if all are.
std::optional<std::size_t> first_missing(const std::vector<std::string>& tags,
                                         const std::vector<std::string>& wanted) {
  const auto missing = std::find_if(wanted.begin(), wanted.end(), [&](const std::string& tag) {
    return std::find(tags.begin(), tags.end(), tag) == tags.end();
  });
  if (missing == wanted.end()) return std::nullopt;
  return static_cast<std::size_t>(missing - wanted.begin());
}

template <class Number>
bool fits(const std::optional<Number>& wanted, Number value) {
  return !wanted || *wanted == value;
}

}  // namespace

std::optional<Condition> first_unmet(const Rule& rule, const Device& device) {
  using Kind = Condition::Kind;
  if (!fits(rule.bus, device.bus)) return Condition{Kind::kBus};
  if (!fits(rule.device, device.number)) return Condition{Kind::kDevice};
  if (!fits(rule.vendor, device.vendor)) return Condition{Kind::kVendor};
  if (!fits(rule.product, device.product)) return Condition{Kind::kProduct};
  if (const auto tag = first_missing(device.tags, rule.tags)) return Condition{Kind::kTag, *tag};
  if (const auto tag = first_missing(device.current_tags, rule.current_tags))
    return Condition{Kind::kCurrentTag, *tag};
  for (std::size_t i = 0; i < rule.properties.size(); ++i)
    if (!holds(rule.properties[i], device)) return Condition{Kind::kProperty, i};
  return std::nullopt;
}

bool matches(const Rule& rule, const Device& device) {
  return !first_unmet(rule, device);
}

}  // namespace whawty
