// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A value of a configuration file that knows its place, so that whatever is wrong with it is reported with
// file, line, column and key. A null counts as absent, as in a file that leaves the key out.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matcher/configuration/yaml_tree.h"

namespace whawty {

// What fail() throws. config_loader.cpp turns it into a ConfigError.
struct ConfigFault {
  std::string message;  // "file:line:column: key: what is wrong, what is expected", one printable line
  const std::string* file = nullptr;  // of the ConfigNode; nothing but its address says which file it is
  YamlPosition position;
};

// "file:line:column", printable.
std::string place(std::string_view file, const YamlPosition& position);

class ConfigNode {
 public:
  // The root of a file. The file's name and the tree must outlive the node and all that come from it.
  ConfigNode(const std::string& file, const YamlNode& root) : file_(&file), yaml_(&root) {}

  bool absent() const { return yaml_->kind == YamlNode::Kind::kNull; }
  const std::string& key() const { return yaml_->key; }
  // Where the node's key stands, of one without a key where its value does.
  const YamlPosition& position() const;
  std::string place() const;

  // The following throw ConfigFault for a node that is not absent and of another kind.

  // The values of a mapping whose keys are the file's own choice, in the file's order.
  std::vector<ConfigNode> entries() const;
  // Throws ConfigFault, too, when the mapping has another key than these.
  void expect_keys(std::initializer_list<std::string_view> keys) const;
  bool has(std::string_view key) const;
  // The value of a mapping's key; one that is absent when the key is not there.
  ConfigNode operator[](std::string_view key) const;
  std::vector<ConfigNode> items() const;
  // A scalar's text, whatever YAML would take it for.
  std::optional<std::string> text() const;
  // The same, of the user's own choice: it may begin with what begins a list or a mapping.
  std::optional<std::string> free_text() const;
  // The same, for what may be neither absent nor empty.
  std::string name() const;
  // Throws ConfigFault, too, when the number is out of bounds.
  std::optional<std::uint16_t> decimal_number(std::uint16_t at_least, std::uint16_t at_most) const;
  std::optional<std::uint16_t> id_number() const;
  // true or false, and no other word that YAML 1.1 takes for one of them.
  std::optional<bool> boolean() const;

  // A fault with the value's place, and throwing it; throwing one with the key's place.
  ConfigFault fault(std::string_view what) const;
  [[noreturn]] void fail(std::string_view what) const;
  [[noreturn]] void fail_at_key(std::string_view what) const;

 private:
  enum class Notation { kDecimal, kHexadecimal };

  ConfigNode(const ConfigNode& parent, const YamlNode& child, std::string path);
  void expect(YamlNode::Kind kind, std::string_view expected) const;
  void expect_unique_keys() const;
  std::string path_of(const YamlNode& child) const;
  std::int64_t integer(Notation notation) const;
  std::optional<std::uint16_t> number(std::uint16_t at_least, std::uint16_t at_most, Notation notation) const;
  ConfigFault fault_at(const YamlPosition& position, std::string_view what) const;

  const std::string* file_;
  const YamlNode* yaml_;
  std::string path_;  // "machines.webcam-test.devices[0]"; empty for the root; printable
};

}  // namespace whawty
