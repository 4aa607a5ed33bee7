// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Builds the tree of one document from yaml-cpp's events, with aliases and merge keys replaced by what they
// stand for, and refuses what a configuration may not have. Throws YamlError, through the parser.
#pragma once

#include <yaml-cpp/eventhandler.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "matcher/configuration/yaml_tree.h"

namespace whawty {

YamlPosition position_of(const YAML::Mark& mark);

class YamlBuilder final : public YAML::EventHandler {
 public:
  // The text that is parsed. It must outlive the builder.
  explicit YamlBuilder(std::string_view text);

  YamlNode take_root();
  // Where the innermost list or mapping starts that is not closed yet.
  std::optional<YamlPosition> innermost_open() const;

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;

 private:
  struct Key {
    std::string text;
    YamlPosition position;
    bool merge = false;  // <<
  };
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;      // 0: none
    bool block = false;             // not in brackets
    int column = 0;                 // of a block's keys or dashes; 0 if it is not known yet
    std::optional<Key> key;         // of a mapping, when its value comes next
    std::optional<YamlNode> merge;  // of a mapping, the value of its <<
  };
  struct Anchored {
    YamlNode node;
    std::size_t depth = 0;  // levels; 0 of a scalar
  };

  std::size_t offset_of(const YAML::Mark& mark) const;
  bool key_comes_next() const;
  void open(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style);
  void check_indentation(const YAML::Mark& mark) const;
  void close();
  void add(const YAML::Mark& mark, YamlNode node, YAML::anchor_t anchor);
  void add_key(YamlNode node);
  void add_to_parent(YamlNode node);
  void add_merge(Open& parent, YamlNode node);
  void remember(const YamlNode& node, YAML::anchor_t anchor);
  void count(const YamlPosition& position);
  std::size_t count_copy(const YamlNode& node, const YamlPosition& position);

  std::string_view text_;
  std::size_t byte_order_mark_;  // its length: yaml-cpp does not count it
  bool started_ = false;
  bool ended_ = false;  // only dashes may follow
  std::size_t nodes_ = 0;
  std::size_t copied_text_ = 0;  // bytes
  YamlNode root_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Anchored> anchored_;
};

}  // namespace whawty
