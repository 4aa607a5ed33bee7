// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/yaml_builder.h"

#include <yaml-cpp/mark.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "common/bounds.h"
#include "common/text.h"
#include "matcher/configuration/yaml_text.h"

namespace whawty {
namespace {

// yaml-cpp's tags of what has none in the text: a plain scalar, list or mapping; any other scalar. The second
// is that of a lone exclamation mark, too, which means nothing.
constexpr std::string_view kNoTag = "?";
constexpr std::string_view kNonSpecific = "!";
constexpr std::string_view kCore = "tag:yaml.org,2002:";

// For YAML that is well-formed and yet refused.
[[noreturn]] void refuse(const YamlPosition& position, std::string_view what) {
  throw YamlError{position, escape(what)};
}

void check_depth(std::size_t depth, const YamlPosition& position) {
  if (depth > kMaxYamlDepth) refuse(position, concat("nested deeper than ", kMaxYamlDepth, " levels"));
}

bool has_no_tag(std::string_view tag) {
  return tag.empty() || tag == kNoTag || tag == kNonSpecific;
}

bool is_core(std::string_view tag, std::string_view name) {
  return tag.starts_with(kCore) && tag.substr(kCore.size()) == name;
}

[[noreturn]] void refuse_tag(const YAML::Mark& mark, std::string_view tag) {
  const std::string shown =
      tag.starts_with(kCore) ? concat("!!", tag.substr(kCore.size())) : std::string(tag);
  refuse(position_of(mark), concat("a tag (", shown.substr(0, 80), "); write the value without it"));
}

// Merges a mapping: what the target has already, it keeps.
void merge_into(YamlNode& target, std::unordered_set<std::string>& keys, YamlNode mapping) {
  for (YamlNode& child : mapping.children)
    if (keys.insert(child.key).second) target.children.push_back(std::move(child));
}

void merge(YamlNode& target, YamlNode value) {
  std::unordered_set<std::string> keys;
  for (const YamlNode& child : target.children) keys.insert(child.key);
  if (value.kind == YamlNode::Kind::kMapping) return merge_into(target, keys, std::move(value));
  for (YamlNode& mapping : value.children) merge_into(target, keys, std::move(mapping));
}

bool can_be_merged(const YamlNode& node) {
  const auto is_mapping = [](const YamlNode& one) { return one.kind == YamlNode::Kind::kMapping; };
  return is_mapping(node) || (node.kind == YamlNode::Kind::kSequence &&
                              std::all_of(node.children.begin(), node.children.end(), is_mapping));
}

}  // namespace

YamlPosition position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

YamlBuilder::YamlBuilder(std::string_view text)
    : text_(text), byte_order_mark_(text.starts_with("\xef\xbb\xbf") ? 3 : 0) {}

YamlNode YamlBuilder::take_root() {
  return std::move(root_);
}

std::optional<YamlPosition> YamlBuilder::innermost_open() const {
  if (open_.empty()) return std::nullopt;
  return open_.back().node.position;
}

std::size_t YamlBuilder::offset_of(const YAML::Mark& mark) const {
  return std::min(static_cast<std::size_t>(std::max(mark.pos, 0)) + byte_order_mark_, text_.size());
}

void YamlBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (!std::exchange(started_, true)) return;
  // The parser is asked for a second document only to see that there is none. It must not be asked on: at a
  // stray comma it reports one empty document after the other for ever.
  if (!has_no_value(text_.substr(offset_of(mark))))
    refuse(position_of(mark), "more text after the end of the document; expected one document");
  ended_ = true;
}

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (!ended_) add(mark, {}, anchor);
}

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  const bool is_text = is_core(tag, "str");
  if (!has_no_tag(tag) && !is_text && !is_core(tag, "int")) refuse_tag(mark, tag);
  const bool is_plain = tag == kNoTag || is_plain_at(text_, offset_of(mark));
  if (tag == kNonSpecific && is_plain && value.empty()) return add(mark, {}, anchor);
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.text = with_utf8_escapes(value);
  node.quoted = is_text || (tag == kNonSpecific && !is_plain);
  add(mark, std::move(node), anchor);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value style) {
  if (!has_no_tag(tag) && !is_core(tag, "seq")) refuse_tag(mark, tag);
  open(mark, YamlNode::Kind::kSequence, anchor, style);
}

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value style) {
  if (!has_no_tag(tag) && !is_core(tag, "map")) refuse_tag(mark, tag);
  open(mark, YamlNode::Kind::kMapping, anchor, style);
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const YamlPosition position = position_of(mark);
  const auto found = anchored_.find(anchor);
  if (found == anchored_.end()) refuse(position, "an alias within the value that it stands for");
  const auto& [original, depth] = found->second;
  check_depth(open_.size() + depth, position);
  count_copy(original, position);
  YamlNode node = original;
  node.position = position;
  check_indentation(mark);
  if (!key_comes_next()) return add_to_parent(std::move(node));
  if (depth > 0) refuse(position, "a list or a mapping as a key; expected a name");
  add_key(std::move(node));
}

bool YamlBuilder::key_comes_next() const {
  return !open_.empty() && open_.back().node.kind == YamlNode::Kind::kMapping && !open_.back().key;
}

// yaml-cpp takes a line that should be a key, but has no colon, for the value of the key above it. A value in
// a line of its own is indented deeper than the keys and dashes beside it.
void YamlBuilder::check_indentation(const YAML::Mark& mark) const {
  if (open_.empty() || !open_.back().block || key_comes_next()) return;
  const std::size_t offset = offset_of(mark);
  const std::size_t line = offset - std::min(offset, static_cast<std::size_t>(mark.column));
  const bool own_line = text_.substr(line, offset - line).find_first_not_of(' ') == std::string_view::npos;
  if (own_line && position_of(mark).column <= open_.back().column)
    refuse(position_of(mark), "indented like a key, but without a colon; expected KEY: VALUE");
}

void YamlBuilder::open(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) {
  check_depth(open_.size() + 1, position_of(mark));
  const bool block = style == YAML::EmitterStyle::Block;
  const bool dash = block && kind == YamlNode::Kind::kSequence && text_.substr(offset_of(mark), 1) == "-";
  // Dashes may stand below the key that they belong to.
  if (!dash) check_indentation(mark);
  Open opened;
  opened.block = block;
  opened.column = dash ? position_of(mark).column : 0;
  opened.node.kind = kind;
  opened.node.position = position_of(mark);
  opened.anchor = anchor;
  open_.push_back(std::move(opened));
}

void YamlBuilder::close() {
  Open closed = std::move(open_.back());
  open_.pop_back();
  // Not before its end: a bracket that is never closed looks like a key, too, and has an error of its own.
  if (key_comes_next()) refuse(closed.node.position, "a list or a mapping as a key; expected a name");
  if (closed.merge) merge(closed.node, *std::move(closed.merge));
  remember(closed.node, closed.anchor);
  count(closed.node.position);
  add_to_parent(std::move(closed.node));
}

void YamlBuilder::add(const YAML::Mark& mark, YamlNode node, YAML::anchor_t anchor) {
  node.position = position_of(mark);
  remember(node, anchor);
  if (key_comes_next()) return add_key(std::move(node));
  if (node.kind != YamlNode::Kind::kNull) check_indentation(mark);
  count(node.position);
  add_to_parent(std::move(node));
}

void YamlBuilder::add_key(YamlNode node) {
  if (node.kind == YamlNode::Kind::kNull) refuse(node.position, "an empty key; expected a name");
  const bool merge = node.text == "<<" && !node.quoted;
  // Of a key after a question mark the column is that of the key.
  int& column = open_.back().column;
  column = column == 0 ? node.position.column : std::min(column, node.position.column);
  open_.back().key = Key{std::move(node.text), node.position, merge};
}

void YamlBuilder::add_to_parent(YamlNode node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Open& parent = open_.back();
  // For a null the parser gives the position of whatever comes next.
  const bool null = node.kind == YamlNode::Kind::kNull;
  if (null) node.position = parent.key ? parent.key->position : parent.node.position;
  if (parent.key && parent.key->merge) return add_merge(parent, std::move(node));
  if (parent.key) {
    node.key = std::move(parent.key->text);
    node.key_position = parent.key->position;
    parent.key.reset();
  }
  parent.node.children.push_back(std::move(node));
}

void YamlBuilder::add_merge(Open& parent, YamlNode node) {
  if (!can_be_merged(node)) refuse(node.position, "<< needs a mapping, or a list of mappings");
  if (parent.merge) refuse(parent.key->position, "a second << in one mapping; write << : [*one, *other]");
  parent.merge = std::move(node);
  parent.key.reset();
}

void YamlBuilder::remember(const YamlNode& node, YAML::anchor_t anchor) {
  if (anchor == 0) return;
  const std::size_t depth = count_copy(node, node.position);
  anchored_[anchor] = Anchored{node, depth};
}

void YamlBuilder::count(const YamlPosition& position) {
  if (++nodes_ > kMaxYamlNodes)
    refuse(position, concat("more than ", kMaxYamlNodes, " values, lists and mappings in one file"));
}

// Counts what a copy takes, and gives its depth. No tree is deeper than kMaxYamlDepth.
std::size_t YamlBuilder::count_copy(const YamlNode& node, const YamlPosition& position) {
  count(position);
  copied_text_ += node.text.size() + node.key.size();
  if (copied_text_ > kMaxYamlText)
    refuse(position, concat("anchors and aliases copy more than ", kMaxYamlText, " bytes of text"));
  std::size_t depth = 0;
  for (const YamlNode& child : node.children) depth = std::max(depth, count_copy(child, position));
  const bool is_scalar = node.kind == YamlNode::Kind::kScalar || node.kind == YamlNode::Kind::kNull;
  return is_scalar ? 0 : depth + 1;
}

}  // namespace whawty
