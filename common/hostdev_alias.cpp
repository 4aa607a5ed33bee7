// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/hostdev_alias.h"

#include <charconv>

#include "common/text.h"

namespace whawty {
namespace {

constexpr std::size_t kMarkDigits = 16;

}  // namespace

std::string hostdev_alias(std::uint64_t mark, std::uint64_t occasion) {
  return concat(kAliasPrefix, hex(mark, kMarkDigits), '-', occasion);
}

std::optional<std::uint64_t> mark_in(std::string_view alias) {
  if (!alias.starts_with(kAliasPrefix)) return std::nullopt;
  alias.remove_prefix(kAliasPrefix.size());
  if (alias.size() <= kMarkDigits || alias[kMarkDigits] != '-') return std::nullopt;
  std::uint64_t mark = 0;
  const auto [end, error] = std::from_chars(alias.data(), alias.data() + kMarkDigits, mark, 16);
  if (error != std::errc{} || end != alias.data() + kMarkDigits) return std::nullopt;
  return mark;
}

}  // namespace whawty
