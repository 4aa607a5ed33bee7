// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/yaml_text.h"

#include <algorithm>

#include "common/bounds.h"
#include "common/text.h"
#include "matcher/configuration/utf8.h"

namespace whawty {
namespace {

// U+0080 to U+009F but U+0085, a line break in YAML.
bool is_c1_control(std::string_view character) {
  return character.size() == 2 && character[0] == '\xc2' && character[1] < '\xa0' && character[1] != '\x85';
}

bool is_control(std::string_view character) {
  const auto byte = static_cast<unsigned char>(character[0]);
  if (character.size() > 1) return is_c1_control(character);
  return byte == 0x7f || (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r');
}

// A tag, an anchor or the mark of a document takes the text up to here.
std::size_t end_of_word(std::string_view text, std::size_t offset) {
  return std::min(text.find_first_of(" \t\r\n,[]{}", offset), text.size());
}

}  // namespace

// YAML allows neither control characters nor broken UTF-8. yaml-cpp lets both pass, and takes a byte 04 for
// the end of the text, so that the rest would be ignored.
//
// From an opening bracket on yaml-cpp keeps all tokens, some 240 bytes each, for the whole may turn out to be
// a key: only then does the builder of the tree hear of the first. So the marks that begin tokens are counted
// here.
std::optional<YamlError> check_yaml_text(std::string_view text) {
  constexpr std::string_view kMarks = "[]{},:?&*!\"'";
  if (text.size() > kMaxYamlText)
    return YamlError{{}, concat("the file is larger than ", kMaxYamlText, " bytes")};
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

bool is_plain_at(std::string_view text, std::size_t offset) {
  while (offset < text.size() && (text[offset] == '!' || text[offset] == '&')) {
    offset = end_of_word(text, offset);
    offset = std::min(text.find_first_not_of(" \t\r\n", offset), text.size());
  }
  return offset >= text.size() || std::string_view("\"'|>").find(text[offset]) == std::string_view::npos;
}

bool has_no_value(std::string_view text) {
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.empty()) return true;
    const std::size_t end = text[0] == '#' ? text.find('\n') : end_of_word(text, 0);
    const std::string_view word = text.substr(0, end);
    if (text[0] != '#' && word != "---" && word != "...") return false;
    text.remove_prefix(word.size());
  }
}

std::string with_utf8_escapes(std::string_view scalar) {
  std::string text;
  while (!scalar.empty()) {
    const std::size_t length = utf8_length(scalar);
    if (length == 0) text += '\xc2';  // and the byte as it is: U+0085 or U+00A0
    text += scalar.substr(0, std::max<std::size_t>(length, 1));
    scalar.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

}  // namespace whawty
