// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace whawty::fuzz {
namespace {

constexpr std::size_t kMaxChanges = 5;
constexpr std::size_t kShortest = 64, kLongest = 1024;  // bytes: limits of what is kept
constexpr std::size_t kLongPart = 64;                   // bytes
constexpr std::size_t kMaxRepeats = 300;

// Ends of ranges, of 1, 2, 4 and 8 bytes, little end first.
constexpr std::uint64_t kNumbers[] = {0,          1,        2,          3,          16,         63,
                                      64,         65,       127,        128,        255,        256,
                                      999,        1000,     0x7fff,     0x8000,     0xffff,     0x10000,
                                      0x7fffffff, 1U << 31, 0xffffffff, 1ULL << 32, 1ULL << 63, ~0ULL};

// What texts are made of, for parsers to trip over.
constexpr const char* kTexts[] = {"\n",  " ",  "\t",    ":",    ": ",       "- ",      "'",   "\"",
                                  "{}",  "[]", "{",     "[",    ",",        "#",       "<",   ">",
                                  "/>",  "&",  "&amp;", "<!--", "]]>",      "\\",      "0x",  "-1",
                                  "1e9", "~",  "|",     "\xff", "\xc3\xa9", "\x1b[2J", "\r\n"};

}  // namespace

Mutator::Mutator(std::uint32_t seed, std::vector<std::string> parents)
    : random_(seed), parents_(std::move(parents)) {
  for (const std::string& parent : parents_) longest_ = std::max(longest_, parent.size());
  longest_ = std::clamp(longest_, kShortest, kLongest);
}

std::string Mutator::next() {
  std::string text = any_parent();
  for (std::size_t changes = below(kMaxChanges) + 1; changes > 0; --changes) change(text);
  if (text.size() > kMaxSize) text.resize(kMaxSize);
  return text;
}

void Mutator::keep(const std::string& input) {
  if (input.size() > longest_) return;
  if (kept_ < kMaxKept) {
    ++kept_;
    parents_.push_back(input);
  } else {
    parents_[parents_.size() - 1 - below(kMaxKept)] = input;
  }
}

std::string Mutator::part_of(const std::string& text) {
  if (text.empty()) return {};
  // Compilers differ in the order of arguments.
  const std::size_t length = below(kLongPart) + 1;
  return text.substr(below(text.size()), length);
}

void Mutator::change(std::string& text) {
  if (!text.empty() && below(2) == 0) {
    change_bytes(text);
  } else {
    move_parts(text);
  }
}

// The length stays.
void Mutator::change_bytes(std::string& text) {
  const std::size_t at = below(text.size());
  switch (below(4)) {
    case 0:
      text[at] = static_cast<char>(text[at] ^ 1 << below(8));
      return;
    case 1:
      text[at] = static_cast<char>(random_());
      return;
    case 2:
      text[at] = static_cast<char>(text[at] + static_cast<char>(below(9)) - 4);
      return;
    default:
      const std::uint64_t number = kNumbers[below(std::size(kNumbers))];
      const std::size_t size = std::min(std::size_t{1} << below(4), text.size() - at);
      for (std::size_t i = 0; i < size; ++i) text[at + i] = static_cast<char>(number >> 8 * i);
  }
}

void Mutator::move_parts(std::string& text) {
  const std::size_t at = below(text.size() + 1);
  switch (below(7)) {
    case 0:
      text.insert(at, 1, static_cast<char>(random_()));
      return;
    case 1:
      text.insert(at, kTexts[below(std::size(kTexts))]);
      return;
    case 2:
      text.insert(at, part_of(text));
      return;
    case 3:
      text.insert(at, part_of(any_parent()));
      return;
    case 4:
      text.erase(at, below(kLongPart) + 1);
      return;
    case 5: {  // the end of another
      const std::string& other = any_parent();
      text.replace(at, std::string::npos, other, below(other.size() + 1));
      return;
    }
    default:
      const std::string part = part_of(text).substr(0, below(8) + 1);
      for (std::size_t times = below(kMaxRepeats); times > 0; --times) text.insert(at, part);
  }
}

}  // namespace whawty::fuzz
