// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/yaml_mistakes.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/text.h"

namespace whawty {
namespace {

constexpr std::size_t kExcerpt = 60;     // bytes
constexpr std::size_t kLongestKey = 32;  // bytes, more than any key has
constexpr int kMostDashes = 32;          // in a line, more than any list of lists has
constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// Control characters are in no text that gets here; of others only the bytes of UTF-8 are escaped.
std::string shown(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kExcerpt))
    result += c == '\\' ? std::string(1, c) : escape(std::string_view(&c, 1));
  return result + (text.size() > kExcerpt ? "..." : "");
}

// Where the line's comment starts, or its end.
std::size_t end_of_content(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i)
    if (line[i] == '#' && (i == 0 || kBlanks.find(line[i - 1]) != line.npos)) return i;
  return line.size();
}

// The colon that ends a plain key at the start of the text.
std::optional<std::size_t> colon_of_key(std::string_view text) {
  const std::string_view content = text.substr(0, end_of_content(text));
  for (std::size_t i = 0; i < content.size(); ++i)
    if (content[i] == ':' && (i + 1 == content.size() || kBlanks.find(content[i + 1]) != content.npos))
      return i;
  return std::nullopt;
}

std::string in_single_quotes(std::string_view text) {
  const std::string_view content = trimmed(text.substr(0, end_of_content(text)));
  if (content.find('\'') != content.npos) return " in single quotes";
  return concat(" in single quotes: '", shown(content), '\'');
}

// Walks through the text as who wrote it reads it, line by line, to what is the first mistake in its eyes. It
// knows what people write in a configuration, not all of YAML: it is asked only about text that is none.
class Walk {
 public:
  Walk(std::string_view text, int last_line) : text_(text), last_line_(last_line) {}

  std::optional<YamlError> first_mistake() {
    while (!mistake_ && at_ < text_.size() && line_ <= last_line_) one_line();
    if (!mistake_ && loose_ && content_lines_ - loose_line_ <= 1) blame_loose_line();
    return std::move(mistake_);
  }

 private:
  std::string_view rest_of_line() const { return text_.substr(at_, text_.find('\n', at_) - at_); }
  char here() const { return at_ < text_.size() ? text_[at_] : '\n'; }
  int column() const { return static_cast<int>(at_ - line_start_); }  // from 0
  YamlPosition position() const { return {line_, column() + 1}; }

  void step() {
    if (here() == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    ++at_;
  }
  void step_over(std::string_view characters) {
    while (at_ < text_.size() && characters.find(text_[at_]) != characters.npos) step();
  }
  void finish_line() {
    at_ += rest_of_line().size();
    if (at_ < text_.size()) step();
  }
  void fail(const YamlPosition& position, std::string what) {
    if (!mistake_) mistake_ = YamlError{position, std::move(what)};
  }

  void one_line() {
    step_over(" ");
    const std::string_view content = trimmed(rest_of_line());
    if (content.empty() || content[0] == '#') return finish_line();
    if (column() == 0 && (content.starts_with("---") || content.starts_with("...") || content[0] == '%')) {
      levels_.clear();
      child_may_follow_ = true;
      return finish_line();
    }
    if (here() == '\t') return fail(position(), "a tab in the indentation; indent with blanks only");
    ++content_lines_;
    entries();
    if (!mistake_) finish_line();
  }

  // What stands in a line: dashes, then a key with its value, or a value.
  void entries() {
    for (int dashes = 0; dashes < kMostDashes; ++dashes) {
      const std::string_view rest = rest_of_line();
      const bool dash = rest.starts_with("- ") || trimmed(rest) == "-";
      const auto colon = dash ? std::nullopt : key_length(rest);
      if (!dash && !colon) return value(dashes == 0);
      enter_level(dashes == 0);
      if (mistake_) return;
      at_ += dash ? 1 : *colon + 1;
      step_over(" \t");
      child_may_follow_ = true;
      if (at_end_of_content()) return;
      if (!dash) return value(false);
    }
  }

  bool at_end_of_content() const {
    const std::string_view rest = trimmed(rest_of_line());
    return rest.empty() || rest[0] == '#';
  }

  static std::optional<std::size_t> key_length(std::string_view rest) {
    if (rest[0] == '[' || rest[0] == '{') return std::nullopt;
    if (rest[0] != '\'' && rest[0] != '"') return colon_of_key(rest);
    const std::size_t end = rest.find(rest[0], 1);
    if (end == rest.npos || !rest.substr(end + 1).starts_with(':')) return std::nullopt;
    return end + 1;
  }

  // The column of a key or a dash is one of those above it, or a new one below a key or dash with nothing.
  void enter_level(bool first) {
    const int here = column();
    std::vector<int> above = levels_;
    while (!levels_.empty() && levels_.back() > here) levels_.pop_back();
    const bool known = !levels_.empty() && levels_.back() == here;
    const bool deeper = levels_.size() == above.size();
    if (!known && first && !(deeper && (child_may_follow_ || levels_.empty()))) {
      if (loose_ && content_lines_ - loose_line_ == 1) return blame_loose_line();
      constexpr std::size_t kListed = 8;
      std::string columns;
      for (std::size_t i = above.size() - std::min(above.size(), kListed); i < above.size(); ++i)
        columns += concat(columns.empty() ? "" : ", ", above[i]);
      return fail(position(), concat("indented by ", here, here == 1 ? " blank" : " blanks",
                                     ", which fits none of the lines above; expected one of ", columns));
    }
    if (!known) levels_.push_back(here);
  }

  void value(bool own_line) {
    while (here() == '&' || here() == '!') {
      at_ += std::min(rest_of_line().find_first_of(kBlanks), rest_of_line().size());
      step_over(" \t");
    }
    if (at_end_of_content()) return;
    child_may_follow_ = false;
    const char c = here();
    if (c == '\'' || c == '"') return quoted_value();
    if (c == '[' || c == '{') return brackets();
    if (c == '|' || c == '>') return block();
    if (std::string_view("*%@`").find(c) != std::string_view::npos) return reserved();
    if (own_line || levels_.empty() || !key_above()) {
      loose_ = position();
      loose_line_ = content_lines_;
    } else if (const auto colon = colon_of_key(rest_of_line())) {
      fail(position(), "a second colon in the line; write a text with a colon and a blank" +
                           in_single_quotes(rest_of_line()));
    }
  }

  // Whether a key stands before the value in its line; else a dash does.
  bool key_above() const { return trimmed(text_.substr(line_start_, at_ - line_start_)).ends_with(':'); }

  void reserved() {
    const std::string_view rest = trimmed(rest_of_line().substr(0, end_of_content(rest_of_line())));
    const bool alias =
        here() == '*' && rest.size() > 1 && rest.find_first_of(".*+?()[]{}\\|^$ ", 1) == rest.npos;
    if (alias && line_ < last_line_) return;
    fail(position(), concat(alias ? "no anchor has this name; write a text that begins with *"
                                  : concat("no text begins with ", here(), "; write it"),
                            in_single_quotes(rest)));
  }

  // Steps over a text in quotes, and the blanks after it. False after a mistake.
  bool quoted() {
    const YamlPosition start = position();
    const char quote = here();
    for (step(); at_ < text_.size(); step()) {
      if (quote == '"' && here() == '\\') {
        if (!escape_is_known()) return false;
        step();
      } else if (here() == quote && text_.substr(at_ + 1).starts_with('\'') && quote == '\'') {
        step();
      } else if (here() == quote) {
        break;
      }
    }
    if (at_ >= text_.size()) {
      fail(start, concat("the quote (", quote, ") that opens here is never closed; expected another one"));
      return false;
    }
    step();
    step_over(" \t\r");
    if (std::string_view("\n#:,]}").find(here()) != std::string_view::npos) return true;
    fail(line_ > start.line ? start : position(),
         line_ > start.line ? concat("the quote (", quote, ") that opens here is closed only in line ", line_,
                                     ", where more text follows")
                            : concat("more text after the closing quote; within a text in quotes ",
                                     quote == '"' ? "\\\" is one" : "'' is one"));
    return false;
  }

  bool escape_is_known() {
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\n';
    if (std::string_view("0abt\tnvfre \"/\\N_LPxuU\r\n").find(next) != std::string_view::npos) return true;
    fail(position(), concat("\\", shown(std::string(1, next)),
                            " is unknown in double quotes; write a text with backslashes in single quotes"));
    return false;
  }

  void quoted_value() {
    if (quoted() && here() != '\n' && here() != '#' && here() != ':')
      fail(position(), "more text after the closing quote");
  }

  void block() {
    const int parent = levels_.empty() ? -1 : levels_.back();
    finish_line();
    while (at_ < text_.size()) {
      const std::string_view line = rest_of_line();
      const std::size_t indentation = std::min(line.find_first_not_of(" \r"), line.size());
      if (!trimmed(line).empty() && static_cast<int>(indentation) <= parent) break;
      finish_line();
    }
    // The caller finishes the line that it began.
    if (at_ > 0 && at_ <= text_.size()) {
      --at_;
      if (here() == '\n') --line_;
    }
  }

  struct Bracket {
    YamlPosition position;
    std::size_t offset;
    char closing;
  };

  void brackets() {
    std::vector<Bracket> open;
    char before = ',';  // the last character that is no blank
    bool own_line = false;
    do {
      const char c = here();
      const bool blank_before = at_ == 0 || kBlanks.find(text_[at_ - 1]) != kBlanks.npos || before == '\n';
      if (c == '#' && blank_before) {
        at_ += rest_of_line().size();
        continue;
      }
      if (own_line && text_.substr(at_).starts_with("- ")) return not_closed(open.back());
      own_line = c == '\n' || (own_line && kBlanks.find(c) != kBlanks.npos);
      const bool token = std::string_view("[{,:").find(before) != std::string_view::npos;
      if ((c == '\'' || c == '"') && token) {
        if (!quoted()) return;
        before = '"';
        continue;
      }
      if ((c == '[' || c == '{') && token) open.push_back({position(), at_, c == '[' ? ']' : '}'});
      if (c == ']' || c == '}') {
        if (open.back().closing != c) return not_closed(open.back());
        if (!close(open)) return;
      }
      if (kBlanks.find(c) == kBlanks.npos && c != '\n') before = c;
      step();
    } while (!open.empty() && at_ < text_.size());
    if (!open.empty()) not_closed(open.back());
  }

  void not_closed(const Bracket& bracket) {
    const char opening = bracket.closing == ']' ? '[' : '{';
    fail(bracket.position, concat("the ", opening, " that opens here is not closed; expected ",
                                  bracket.closing, ", or single quotes around a text"));
  }

  // At a closing bracket. What follows a list or a mapping shows whether it was meant as one.
  bool close(std::vector<Bracket>& open) {
    const Bracket bracket = open.back();
    open.pop_back();
    const std::size_t next = text_.find_first_not_of(kBlanks, at_ + 1);
    const char after = next < text_.size() ? text_[next] : '\n';
    if (std::string_view("\n#:,").find(after) != std::string_view::npos) return true;
    const bool closing = after == ']' || after == '}';
    if (closing && !open.empty()) return true;
    const char opening = bracket.closing == ']' ? '[' : '{';
    if (closing) {
      fail(position(), "a closing bracket too many in this line");
    } else {
      fail(
          bracket.position,
          concat("more text after the closing ", bracket.closing, "; write a text that begins with ", opening,
                 open.empty() ? in_single_quotes(text_.substr(
                                    bracket.offset, text_.find('\n', bracket.offset) - bracket.offset))
                              : " in single quotes"));
    }
    return false;
  }

  // A line that is neither KEY: VALUE nor a dash, where the text ceases to be YAML.
  void blame_loose_line() {
    const std::size_t end = text_.find('\n', offset_of(*loose_));
    const std::string_view rest = text_.substr(offset_of(*loose_), end - offset_of(*loose_));
    const std::string_view content = trimmed(rest.substr(0, end_of_content(rest)));
    fail(*loose_, explain_missing_blank(content).value_or(
                      concat("'", shown(content), "' has no colon; expected KEY: VALUE")));
  }

  std::size_t offset_of(const YamlPosition& position) const {
    std::size_t offset = 0;
    for (int line = 1; line < position.line; ++line) offset = text_.find('\n', offset) + 1;
    return offset + static_cast<std::size_t>(position.column) - 1;
  }

  std::string_view text_;
  int last_line_;  // of those that may hold the mistake
  std::size_t at_ = 0, line_start_ = 0;
  int line_ = 1;
  std::vector<int> levels_;  // columns of the keys and dashes that a line may go on with, from 0
  bool child_may_follow_ = true;
  int content_lines_ = 0;
  std::optional<YamlPosition> loose_;  // the last line without a key or a dash
  int loose_line_ = 0;                 // counted as content_lines_
  std::optional<YamlError> mistake_;
};

YamlPosition within(std::string_view text, const YamlPosition& position) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (position.line <= lines) return position;
  const std::string_view last = text.substr(text.rfind('\n') + 1);
  return {lines, static_cast<int>(last.size()) + 1};
}

}  // namespace

std::optional<std::string> explain_missing_blank(std::string_view text) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::string_view word = text.substr(start, end - start);
    const std::size_t name = word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-");
    if (name != word.npos && name > 0 && name <= kLongestKey && word[name] == ':' && name + 1 < word.size())
      return concat("no blank after the colon of ", word.substr(0, name), "; write ", word.substr(0, name),
                    ": ", shown(word.substr(name + 1)));
    start = end + 1;
  }
  return std::nullopt;
}

YamlError explain_yaml_error(std::string_view text, const YamlPosition& noticed, std::string_view error) {
  const YamlPosition position = within(text, noticed);
  if (auto mistake = Walk(text, position.line).first_mistake()) return *std::move(mistake);
  return {position, "not well-formed YAML: " + escape(error)};
}

}  // namespace whawty
