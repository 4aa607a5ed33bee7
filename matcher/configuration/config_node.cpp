// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/config_node.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "common/text.h"
#include "matcher/configuration/config_source.h"
#include "matcher/configuration/yaml_integer.h"
#include "matcher/configuration/yaml_mistakes.h"

namespace whawty {
namespace {

const YamlNode kAbsent{};

constexpr std::size_t kExcerpt = 80;          // bytes
constexpr std::size_t kLongestMessage = 500;  // bytes: a pattern that does not compile is quoted by RE2

std::string excerpt(std::string_view text) {
  return printable(text, kExcerpt);
}

std::string quote(std::string_view text) {
  const std::string shown = excerpt(text);
  return shown.starts_with('"') ? shown : concat('\'', shown, '\'');
}

// In a path of keys nothing is between quotes.
std::string printable_key(std::string_view key) {
  return escape(key.substr(0, kExcerpt)) + (key.size() > kExcerpt ? "..." : "");
}

std::string_view name_of(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a text";
    case YamlNode::Kind::kSequence:
      return "a list";
    case YamlNode::Kind::kMapping:
      return "a mapping";
  }
  return "";
}

bool all_hexadecimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string listed(std::initializer_list<std::string_view> keys) {
  std::string text;
  for (const std::string_view key : keys) {
    if (!text.empty()) text += ", ";
    text += key;
  }
  return text;
}

std::string_view without_0x(std::string_view text) {
  return text.starts_with("0x") || text.starts_with("0X") ? text.substr(2) : text;
}

// A text where something else should be: what to write in the usual cases.
std::optional<std::string> advice_for_text(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view vendor = without_0x(text.substr(0, colon));
  const std::string_view product = colon < text.size() ? without_0x(text.substr(colon + 1)) : "";
  if (all_hexadecimal(vendor) && all_hexadecimal(product) && vendor.size() <= 4 && product.size() <= 4)
    return concat(quote(text), " is two numbers; write vendor-id: 0x", vendor, " and product-id: 0x", product,
                  " in two lines");
  return explain_missing_blank(text);
}

// Where the keys of rules and of what is in them belong.
struct Home {
  std::string_view key, place;
};
constexpr Home kHomes[] = {
    {"bus", "a rule"},
    {"vendor-id", "a rule"},
    {"product-id", "a rule"},
    {"udev", "a rule"},
    {"allow-host-device", "a rule"},
    {"env", "udev"},
    {"tags", "udev"},
    {"current-tags", "udev"},
    {"name", "an entry of env"},
    {"equals", "an entry of env"},
    {"pattern", "an entry of env"},
};

// What a key that is not expected where it stands may be meant for, followed by a semicolon; or nothing.
std::string advice_for_key(std::string_view key) {
  if (const auto advice = explain_missing_blank(key)) return *advice + "; ";
  if (key.size() > 1 && key[0] == '-') return "no blank after the dash; ";
  for (const Home& home : kHomes)
    if (home.key == key) return concat(key, " belongs to ", home.place, ", so look at the indentation; ");
  return "";
}

}  // namespace

std::string place(std::string_view file, const YamlPosition& position) {
  return concat(escape(file), ':', position.line, ':', position.column);
}

ConfigNode::ConfigNode(const ConfigNode& parent, const YamlNode& child, std::string path)
    : file_(parent.file_), yaml_(&child), path_(std::move(path)) {}

const YamlPosition& ConfigNode::position() const {
  return yaml_->key.empty() ? yaml_->position : yaml_->key_position;
}

std::string ConfigNode::place() const {
  return whawty::place(*file_, position());
}

ConfigFault ConfigNode::fault_at(const YamlPosition& position, std::string_view what) const {
  const std::string key = path_.empty() ? "" : path_ + ": ";
  return {concat(whawty::place(*file_, position), ": ", key, what.substr(0, kLongestMessage)), file_,
          position};
}

ConfigFault ConfigNode::fault(std::string_view what) const {
  return fault_at(yaml_->position, what);
}

void ConfigNode::fail(std::string_view what) const {
  throw fault(what);
}

void ConfigNode::fail_at_key(std::string_view what) const {
  throw fault_at(yaml_->key_position, what);
}

void ConfigNode::expect(YamlNode::Kind kind, std::string_view expected) const {
  if (absent() || yaml_->kind == kind) return;
  const bool is_scalar = yaml_->kind == YamlNode::Kind::kScalar;
  if (is_scalar && kind == YamlNode::Kind::kMapping)
    if (const auto advice = advice_for_text(yaml_->text)) fail(*advice);
  fail(concat(name_of(yaml_->kind), " instead of ", expected));
}

std::string ConfigNode::path_of(const YamlNode& child) const {
  return concat(path_, path_.empty() ? "" : ".", child.key.empty() ? "''" : printable_key(child.key));
}

void ConfigNode::expect_unique_keys() const {
  std::unordered_map<std::string_view, const YamlNode*> seen;
  for (const YamlNode& child : yaml_->children) {
    const auto [first, is_new] = seen.emplace(child.key, &child);
    if (is_new) continue;
    const int line = first->second->key_position.line;
    ConfigNode(*this, child, path_of(child))
        .fail_at_key(concat("given a second time; the first is in line ", line));
  }
}

std::vector<ConfigNode> ConfigNode::entries() const {
  expect(YamlNode::Kind::kMapping, "a mapping of keys to values");
  expect_unique_keys();
  std::vector<ConfigNode> nodes;
  for (const YamlNode& child : yaml_->children) nodes.push_back(ConfigNode(*this, child, path_of(child)));
  return nodes;
}

void ConfigNode::expect_keys(std::initializer_list<std::string_view> keys) const {
  for (const ConfigNode& entry : entries())
    if (std::find(keys.begin(), keys.end(), entry.key()) == keys.end())
      entry.fail_at_key(concat("unknown key; ", advice_for_key(entry.key()), "expected ",
                               keys.size() > 1 ? "one of " : "", listed(keys)));
}

bool ConfigNode::has(std::string_view key) const {
  return std::any_of(yaml_->children.begin(), yaml_->children.end(),
                     [&](const YamlNode& child) { return child.key == key; });
}

ConfigNode ConfigNode::operator[](std::string_view key) const {
  for (const YamlNode& child : yaml_->children)
    if (child.key == key) return ConfigNode(*this, child, path_of(child));
  return ConfigNode(*this, kAbsent, path_);
}

std::vector<ConfigNode> ConfigNode::items() const {
  expect(YamlNode::Kind::kSequence, "a list");
  std::vector<ConfigNode> nodes;
  for (const YamlNode& child : yaml_->children)
    nodes.push_back(ConfigNode(*this, child, concat(path_, '[', nodes.size(), ']')));
  return nodes;
}

std::optional<std::string> ConfigNode::text() const {
  expect(YamlNode::Kind::kScalar, "a text");
  if (absent()) return std::nullopt;
  return yaml_->text;
}

std::optional<std::string> ConfigNode::free_text() const {
  const bool list = yaml_->kind == YamlNode::Kind::kSequence;
  if (list || yaml_->kind == YamlNode::Kind::kMapping)
    fail(concat(name_of(yaml_->kind), " instead of a text; write a text that begins with ", list ? '[' : '{',
                " in single quotes"));
  return text();
}

std::string ConfigNode::name() const {
  const std::optional<std::string> value = free_text();
  if (!value || value->empty()) fail("empty; expected a name");
  return *value;
}

// A scalar's number, or a fault that says how to write it.
std::int64_t ConfigNode::integer(Notation notation) const {
  const std::string& text = yaml_->text;
  const bool is_id = notation == Notation::kHexadecimal;
  if (yaml_->quoted) fail(concat(quote(text), " is a text; write the number without quotes"));
  const auto parsed = parse_yaml_integer(text);
  if (const auto* const zero = std::get_if<LeadingZero>(&parsed))
    fail(concat(quote(text), " starts with a zero, as octal numbers do; write ",
                is_id ? concat("0x", zero->digits, " for hexadecimal or ", zero->value, " for decimal")
                      : zero->value));
  if (std::holds_alternative<NotAnInteger>(parsed)) {
    if (const auto advice = advice_for_text(text)) fail(*advice);
    fail(concat(quote(text), " is not a number",
                is_id && all_hexadecimal(text) ? concat("; hexadecimal is written 0x", excerpt(text))
                                               : "; expected an integer"));
  }
  return std::get<std::int64_t>(parsed);
}

std::optional<std::uint16_t> ConfigNode::number(std::uint16_t at_least, std::uint16_t at_most,
                                                Notation notation) const {
  expect(YamlNode::Kind::kScalar, "an integer");
  if (absent()) return std::nullopt;
  const std::int64_t value = integer(notation);
  if (value < at_least || value > at_most)
    fail(notation == Notation::kDecimal
             ? concat(excerpt(yaml_->text), " is out of range; expected ", at_least, " to ", at_most)
             : concat(excerpt(yaml_->text), " is out of range; expected 0x", hex(at_least, 4), " to 0x",
                      hex(at_most, 4)));
  return static_cast<std::uint16_t>(value);
}

std::optional<std::uint16_t> ConfigNode::decimal_number(std::uint16_t at_least, std::uint16_t at_most) const {
  return number(at_least, at_most, Notation::kDecimal);
}

std::optional<std::uint16_t> ConfigNode::id_number() const {
  return number(0, 0xffff, Notation::kHexadecimal);
}

std::optional<bool> ConfigNode::boolean() const {
  expect(YamlNode::Kind::kScalar, "true or false");
  if (absent()) return std::nullopt;
  const std::string& text = yaml_->text;
  const bool is_boolean = text == "true" || text == "false";
  if (is_boolean && yaml_->quoted) fail(concat(quote(text), " is a text; write it without quotes"));
  if (!is_boolean) fail(concat(quote(text), " is neither true nor false"));
  return text == "true";
}

}  // namespace whawty
