// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>
#include <utility>

#include "common/text.h"
#include "matcher/utf8.h"

namespace whawty {
namespace {

YamlPosition position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

// For YAML that is well-formed and yet refused. Thrown through the parser, and caught by parse_yaml().
[[noreturn]] void refuse(const YamlPosition& position, const std::string& what) {
  throw YamlError{position, escape(what)};
}

[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what) {
  refuse(position_of(mark), what);
}

// Builds the tree of one document, and refuses what a configuration may not have.
class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode take_root() { return std::move(root_); }

  // Where the innermost list or mapping starts that is not closed yet.
  std::optional<YamlPosition> innermost_open() const {
    if (open_.empty()) return std::nullopt;
    return open_.back().node.position;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // The parser is asked for a second document only to see that there is none. It must not be asked on: at a
    // stray comma it reports one empty document after the other for ever.
    if (std::exchange(started_, true))
      refuse(mark, "more text after the end of the document; expected one document");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(mark, {}); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    check_tag(mark, tag);
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.text = value;
    node.quoted = tag == kQuoted;
    add(mark, std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, YamlNode::Kind::kSequence);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, YamlNode::Kind::kMapping);
  }
  void OnMapEnd() override { close(); }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    refuse(mark, "an anchor (&" + name + "); write the value out wherever it is needed");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "an alias; write the value out wherever it is needed");
  }

 private:
  // yaml-cpp's tags of values that have none in the text.
  static constexpr const char* kPlain = "?";
  static constexpr const char* kQuoted = "!";

  struct Key {
    std::string text;
    YamlPosition position;
  };
  struct Open {
    YamlNode node;
    std::optional<Key> key;  // of a mapping, when its value comes next
  };

  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag != kPlain && tag != kQuoted && !tag.empty())
      refuse(mark, "a tag (" + tag + "); write the value without it");
  }

  bool key_comes_next() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::kMapping && !open_.back().key;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YamlNode::Kind kind) {
    check_tag(mark, tag);
    if (open_.size() == kMaxYamlDepth) refuse(mark, concat("nested deeper than ", kMaxYamlDepth, " levels"));
    Open opened;
    opened.node.kind = kind;
    opened.node.position = position_of(mark);
    open_.push_back(std::move(opened));
  }

  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    // Not before its end: a bracket that is never closed looks like a key, too, and has an error of its own.
    if (key_comes_next()) refuse(node.position, "a list or a mapping as a key; expected a name");
    add_to_parent(std::move(node));
  }

  void add(const YAML::Mark& mark, YamlNode node) {
    node.position = position_of(mark);
    if (key_comes_next()) {
      if (node.kind == YamlNode::Kind::kNull) refuse(mark, "an empty key; expected a name");
      if (node.text == "<<" && !node.quoted) refuse(mark, "a merge key (<<); write the values out");
      open_.back().key = Key{std::move(node.text), node.position};
      return;
    }
    add_to_parent(std::move(node));
  }

  void add_to_parent(YamlNode node) {
    if (++nodes_ > kMaxYamlNodes)
      refuse(node.position, concat("more than ", kMaxYamlNodes, " values, lists and mappings in one file"));
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    // For a null the parser gives the position of whatever comes next.
    const bool null = node.kind == YamlNode::Kind::kNull;
    if (null) node.position = parent.key ? parent.key->position : parent.node.position;
    if (parent.key) {
      node.key = std::move(parent.key->text);
      node.key_position = parent.key->position;
      parent.key.reset();
    }
    parent.node.children.push_back(std::move(node));
  }

  bool started_ = false;
  std::size_t nodes_ = 0;
  YamlNode root_;
  std::vector<Open> open_;
};

// U+0080 to U+009F but U+0085, a line break in YAML.
bool is_c1_control(std::string_view character) {
  return character.size() == 2 && character[0] == '\xc2' && character[1] < '\xa0' && character[1] != '\x85';
}

bool is_control(std::string_view character) {
  const auto byte = static_cast<unsigned char>(character[0]);
  if (character.size() > 1) return is_c1_control(character);
  return byte == 0x7f || (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r');
}

// YAML allows neither control characters nor broken UTF-8. yaml-cpp lets both pass, and takes a byte 04 for
// the end of the text, so that the rest would be ignored.
//
// From an opening bracket on yaml-cpp keeps all tokens, some 240 bytes each, for the whole may turn out to be
// a key: only then does the builder of the tree hear of the first. So the marks that begin tokens are counted
// here.
std::optional<YamlError> check_characters(std::string_view text) {
  constexpr std::string_view kMarks = "[]{},:?&*!\"'";
  YamlPosition position;
  std::size_t marks = 0;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return YamlError{position, "byte " + escape(text.substr(0, 1)) + " is not UTF-8 text"};
    const std::string_view character = text.substr(0, length);
    if (is_control(character))
      return YamlError{position, "control character " + escape(character) + " in the text"};
    if (kMarks.find(text[0]) != std::string_view::npos && ++marks > kMaxYamlMarks)
      return YamlError{
          position, concat("more than ", kMaxYamlMarks, " brackets, commas, colons and quotes in one file")};
    position.column += static_cast<int>(length);
    if (text[0] == '\n') position = {position.line + 1, 1};
    text.remove_prefix(length);
  }
  return std::nullopt;
}

}  // namespace

std::variant<YamlNode, YamlError> parse_yaml(std::string_view text) {
  if (text.size() > kMaxYamlText)
    return YamlError{{}, concat("the file is larger than ", kMaxYamlText, " bytes")};
  if (auto error = check_characters(text)) return *std::move(error);
  std::istringstream input{std::string(text)};
  TreeBuilder builder;
  try {
    YAML::Parser parser(input);
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (const YamlError& refused) {
    return refused;
  } catch (const YAML::Exception& error) {
    YamlPosition position = position_of(error.mark);
    // When the text ends inside a bracket the parser may know no better than line 0, column 0.
    if (position.line == 1 && position.column == 1) position = builder.innermost_open().value_or(position);
    return YamlError{position, "not well-formed YAML: " + escape(error.msg)};
  }
  return builder.take_root();
}

}  // namespace whawty
