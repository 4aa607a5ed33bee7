// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/yaml_tree.h"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <utility>

#include "common/text.h"
#include "matcher/configuration/yaml_builder.h"
#include "matcher/configuration/yaml_mistakes.h"
#include "matcher/configuration/yaml_text.h"

namespace whawty {
namespace {

YamlNode build(const std::string& text, YamlBuilder& builder) {
  std::istringstream input{text};
  YAML::Parser parser(input);
  if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  return builder.take_root();
}

// At the very end of its input yaml-cpp takes a quote that is not closed, and a key without its colon: a file
// that was cut off would be another, good configuration. With a comment in a line of its own at the end both
// are refused. The comment cannot be there at once: it would end a block scalar with a line break.
void check_end(std::string_view text) {
  const std::string with_comment = concat(text, "\n#");
  YamlBuilder builder(with_comment);
  build(with_comment, builder);
}

}  // namespace

std::variant<YamlNode, YamlError> parse_yaml(std::string_view text) {
  if (auto error = check_yaml_text(text)) return *std::move(error);
  YamlBuilder builder(text);
  try {
    YamlNode root = build(std::string(text), builder);
    check_end(text);
    return root;
  } catch (const YamlError& refused) {
    return refused;
  } catch (const YAML::Exception& error) {
    YamlPosition position = position_of(error.mark);
    // When the text ends inside a bracket the parser may know no better than line 0, column 0.
    if (position.line == 1 && position.column == 1) position = builder.innermost_open().value_or(position);
    return explain_yaml_error(text, position, error.msg);
  }
}

}  // namespace whawty
