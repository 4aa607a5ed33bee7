// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/text_layout.h"

#include <wchar.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "common/text.h"
#include "matcher/configuration/utf8.h"

namespace whawty {
namespace {

constexpr std::size_t kNarrowest = 7;  // columns of a column that is cut
constexpr std::string_view kGap = "  ";

struct Range {
  char32_t first, last;
};
// What the C library may count as a letter and people cannot see, or what has others change their place.
// https://www.unicode.org/reports/tr9/, https://www.unicode.org/reports/tr36/
constexpr Range kInvisible[] = {
    {0x00a0, 0x00a0},   {0x00ad, 0x00ad},   {0x034f, 0x034f},    {0x0600, 0x0605}, {0x061c, 0x061c},
    {0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},    {0x08e2, 0x08e2}, {0x115f, 0x1160},
    {0x1680, 0x1680},   {0x17b4, 0x17b5},   {0x180b, 0x180f},    {0x2000, 0x200f}, {0x2028, 0x202f},
    {0x205f, 0x206f},   {0x2800, 0x2800},   {0x3000, 0x3000},    {0x3164, 0x3164}, {0xe000, 0xf8ff},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},    {0xfff0, 0xffff}, {0x110bd, 0x110bd},
    {0x110cd, 0x110cd}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
};

// 0: it is not to be shown.
std::size_t columns_of_character(char32_t code) {
  if (code < 0x80) return code >= ' ' && code <= '~' ? 1 : 0;
  for (const auto& [first, last] : kInvisible)
    if (first <= code && code <= last) return 0;
  const int columns = ::wcwidth(static_cast<wchar_t>(code));
  return columns > 0 ? static_cast<std::size_t>(columns) : 0;
}

std::size_t length_of_first(std::string_view text) {
  return std::max<std::size_t>(utf8_length(text), 1);
}

// Takes from the widest of these until all fit, or until they are as narrow as may be.
void narrow(std::span<std::size_t> some, const std::vector<std::size_t>& widths, const Style& style) {
  const auto total = [&] {
    return std::accumulate(widths.begin(), widths.end(), kGap.size() * (widths.size() - 1));
  };
  while (!some.empty() && total() > style.width) {
    const auto widest = std::max_element(some.begin(), some.end());
    if (*widest <= kNarrowest) return;
    --*widest;
  }
}

std::string colored(const std::string& text, const Style& style, const char* code) {
  return style.color ? concat("\x1b[", code, 'm', text, "\x1b[0m") : text;
}

}  // namespace

char32_t code_point(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first;
  char32_t code = first & (0x7fU >> character.size());
  for (const char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return code;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const std::size_t length = length_of_first(text);
    columns += columns_of_character(code_point(text.substr(0, length)));
    text.remove_prefix(length);
  }
  return columns;
}

std::string clean(std::string_view bytes, const Style& style) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = length_of_first(bytes);
    const std::string_view character = bytes.substr(0, length);
    const bool is_shown =
        style.unicode && utf8_length(bytes) > 1 && columns_of_character(code_point(character)) > 0;
    text += is_shown ? std::string(character) : escape(character);
    bytes.remove_prefix(length);
  }
  return text;
}

std::string cut(const std::string& text, std::size_t columns, const Style& style) {
  if (columns_of(text) <= columns) return text;
  std::size_t end = 0, used = 0;
  for (;;) {
    const std::size_t length = length_of_first(std::string_view(text).substr(end));
    used += columns_of_character(code_point(std::string_view(text).substr(end, length)));
    if (used + 1 > columns) break;
    end += length;
  }
  return text.substr(0, end) + (style.unicode ? "…" : "~");
}

std::string table(const std::vector<std::vector<std::string>>& rows, const Columns& columns,
                  const Style& style) {
  std::vector<std::size_t> widths(rows.empty() ? 0 : rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  if (style.width > 0) {
    const std::span<std::size_t> cut = std::span(widths).subspan(columns.fixed);
    narrow(cut.first(cut.size() - columns.told), widths, style);
    narrow(cut, widths, style);
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string cell = cut(row[i], widths[i], style);
      line += cell + std::string(widths[i] - columns_of(cell), ' ') + std::string(kGap);
    }
    line.resize(line.find_last_not_of(' ') + 1);
    text += (&row == &rows.front() ? bold(line, style) : line) + '\n';
  }
  return text;
}

std::string wrapped(const std::string& text, const Style& style) {
  if (style.width == 0) return text;
  std::string all;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::string indent(std::min(line.find_first_not_of(' '), line.size()) + 4, ' ');
    while (columns_of(line) > style.width) {
      const std::string fitting = cut(line, style.width + 2, {});  // and the blank that may follow
      const std::size_t blank = fitting.find_last_of(' ');
      if (blank == std::string::npos || blank < indent.size()) break;  // one long word
      all += line.substr(0, blank) + '\n';
      line = indent + line.substr(blank + 1);
    }
    all += line + '\n';
  }
  return all;
}

std::string bold(const std::string& text, const Style& style) {
  return colored(text, style, "1");
}
std::string yellow(const std::string& text, const Style& style) {
  return colored(text, style, "33");
}
std::string red(const std::string& text, const Style& style) {
  return colored(text, style, "31");
}

}  // namespace whawty
