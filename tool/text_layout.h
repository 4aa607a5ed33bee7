// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Text for people at a terminal: hostile bytes made harmless, tables and paragraphs of a given width.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace whawty {

struct Style {
  std::size_t width = 0;  // columns of a line; 0: no limit
  bool unicode = false;   // the terminal shows UTF-8
  bool color = false;
};

// The character of a text that is one, well-formed, in UTF-8.
char32_t code_point(std::string_view character);

// Columns that the text takes; one of what clean() gives.
std::size_t columns_of(std::string_view text);

// What a terminal shows as it is: printable ASCII, and if it shows UTF-8, letters and signs of one or two
// columns. All else is \xHH: control characters, what joins or turns letters around, broken UTF-8, the
// backslash.
std::string clean(std::string_view bytes, const Style& style);

// The beginning of a text that is clean, with a mark that it goes on if it has more columns.
std::string cut(const std::string& text, std::size_t columns, const Style& style);

// A table with a heading. Where it is too wide, its widest columns are cut: the last ones that tell most
// after all others, the first ones that are fixed never. All cells are clean.
struct Columns {
  std::size_t fixed, told;  // so many at the beginning, and at the end
};
std::string table(const std::vector<std::vector<std::string>>& rows, const Columns& columns,
                  const Style& style);

// Paragraphs: each line that is too wide goes on below, further to the right than it began.
std::string wrapped(const std::string& text, const Style& style);

std::string bold(const std::string& text, const Style& style);
std::string yellow(const std::string& text, const Style& style);
std::string red(const std::string& text, const Style& style);

}  // namespace whawty
