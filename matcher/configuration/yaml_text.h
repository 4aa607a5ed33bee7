// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What is seen in the text of a YAML file itself, before yaml-cpp reads it or where yaml-cpp does not say it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "matcher/configuration/yaml_tree.h"

namespace whawty {

// An error for a text that is too large, not UTF-8, has control characters or more marks than kMaxYamlMarks.
std::optional<YamlError> check_yaml_text(std::string_view text);

// Whether a plain scalar, or nothing, stands at the offset, after the tag and the anchor that may come first.
bool is_plain_at(std::string_view text, std::size_t offset);

// Whether the text is nothing but marks of documents, --- and ..., blank lines and comments.
bool has_no_value(std::string_view text);

// A scalar as yaml-cpp made it of UTF-8 text, with \N and \_ as UTF-8 too: it gives a single byte for each.
std::string with_utf8_escapes(std::string_view scalar);

}  // namespace whawty
