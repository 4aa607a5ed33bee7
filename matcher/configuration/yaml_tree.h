// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A YAML text as a tree of values with their positions: one document. Aliases and merge keys (<<) are
// replaced by what they stand for; of tags, those of the core schema for texts, integers, lists and mappings
// are taken.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace whawty {

// Both counted from 1; columns count bytes.
struct YamlPosition {
  int line = 1;
  int column = 1;
};

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMapping };

  Kind kind = Kind::kNull;
  YamlPosition position;  // of the value; where none is written, of the key or of the list
  std::string text;       // of a scalar
  bool quoted = false;    // of a scalar: in quotes, or a block
  std::vector<YamlNode> children;

  // Of a child of a mapping. The same key may stand there twice: the reader of the mapping is to refuse that.
  std::string key;
  YamlPosition key_position;
};

struct YamlError {
  YamlPosition position;
  std::string message;  // one printable line
};

// The tree of the text's only document; a null when there is none. The text may hold anything.
std::variant<YamlNode, YamlError> parse_yaml(std::string_view text);

}  // namespace whawty
