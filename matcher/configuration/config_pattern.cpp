// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/config_pattern.h"

#include <algorithm>

#include "common/bounds.h"

namespace whawty {
namespace {

// How far the text that a pattern starts with holds no group: an escape, a literal \Q...\E or a class. 0 for
// anything else.
std::size_t length_without_group(std::string_view pattern) {
  if (pattern.starts_with("\\Q")) {
    const std::size_t end = pattern.find("\\E");
    return end == std::string_view::npos ? pattern.size() : end + 2;
  }
  if (pattern[0] == '\\') return std::min<std::size_t>(2, pattern.size());
  if (pattern[0] != '[') return 0;
  std::size_t at = pattern.starts_with("[^") ? 2 : 1;
  for (bool first = true; at < pattern.size() && (first || pattern[at] != ']'); first = false) {
    const bool named = pattern.substr(at).starts_with("[:");
    const std::size_t end = named ? pattern.find(":]", at + 2) : std::string_view::npos;
    at = end != std::string_view::npos ? end + 2 : at + (pattern[at] == '\\' ? 2 : 1);
  }
  return std::min(at + 1, pattern.size());
}

// Not (?<= and (?<!, which look behind: neither Go nor RE2 has them.
bool starts_with_group_name(std::string_view pattern) {
  return pattern.starts_with("(?<") && pattern.size() > 3 && pattern[3] != '=' && pattern[3] != '!';
}

}  // namespace

std::string with_portable_group_names(std::string_view pattern) {
  std::string portable;
  while (!pattern.empty()) {
    const bool named = starts_with_group_name(pattern);
    const std::size_t length = named ? 3 : std::max<std::size_t>(length_without_group(pattern), 1);
    portable += named ? "(?P<" : pattern.substr(0, length);
    pattern.remove_prefix(length);
  }
  return portable;
}

std::shared_ptr<const RE2> compile_pattern(std::string_view pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxPatternMemory);
  options.set_never_capture(true);
  return std::make_shared<const RE2>(with_portable_group_names(pattern), options);
}

}  // namespace whawty
