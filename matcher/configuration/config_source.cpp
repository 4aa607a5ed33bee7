// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/config_source.h"

#include <algorithm>
#include <optional>

#include "common/text.h"

namespace whawty {
namespace {

constexpr std::size_t kBefore = 60, kAfter = 40;  // bytes of a long line, around the position

bool is_printable(char c) {
  return c >= ' ' && c <= '~';
}

// Other than in a message, a backslash stays one: the line is to look as it does in the file.
std::string as_in_the_file(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (is_printable(c)) {
      text += c;
    } else if (c == '\t') {
      text += ' ';
    } else {
      text += escape(std::string_view(&c, 1));
    }
  }
  return text;
}

std::optional<std::string_view> line_of(std::string_view text, int number) {
  for (; number > 1; --number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  const std::string_view line = text.substr(0, text.find('\n'));
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
  const std::string_view shown = text.substr(0, longest);
  const bool plain = std::all_of(shown.begin(), shown.end(), is_printable);
  return (plain ? std::string(shown) : show(shown)) + (shown.size() < text.size() ? "..." : "");
}

std::vector<std::string> show_source(std::string_view text, const YamlPosition& position) {
  std::optional<std::string_view> line = line_of(text, position.line);
  if (!line || line->empty()) return {};
  const std::size_t column = std::min(static_cast<std::size_t>(position.column - 1), line->size());
  const std::size_t first = column > kBefore ? column - kBefore : 0;
  const std::string before = (first > 0 ? "..." : "") + as_in_the_file(line->substr(first, column - first));
  const std::string after = as_in_the_file(line->substr(column, kAfter));
  const bool more = line->size() > column + kAfter;
  return {before + after + (more ? "..." : ""), std::string(before.size(), ' ') + '^'};
}

}  // namespace whawty
