// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/proc_lists.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

namespace whawty {
namespace {

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

// "/dev/sdb1" as sysfs names it. A slash in such a name, as in /dev/cciss/c0d0, is '!' there. What follows a
// backslash is an escaped blank and "(deleted)".
void add_device(std::string_view path, Names& names) {
  constexpr std::string_view kFolder = "/dev/";
  if (!path.starts_with(kFolder)) return;
  std::string name(path.substr(kFolder.size(), path.find('\\') - kFolder.size()));
  std::replace(name.begin(), name.end(), '/', '!');
  names.insert(std::move(name));
}

bool all_zeros(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

// RTF_UP and RTF_REJECT of linux/route.h.
bool leads_somewhere(std::string_view flags) {
  constexpr std::uint64_t kUp = 0x0001;
  constexpr std::uint64_t kReject = 0x0200;
  return (hexadecimal(flags).value_or(0) & (kUp | kReject)) == kUp;
}

// The last word of a bitmap in sysfs, which has its lowest bits. Words are as long as the kernel's long.
std::uint64_t lowest_bits(std::string_view bitmap) {
  const std::vector<std::string_view> words = split(bitmap, " ");
  return words.empty() ? 0 : hexadecimal(words.back()).value_or(0);
}

}  // namespace

Mounted parse_mountinfo(std::string_view text) {
  Mounted mounted;
  for (const std::string_view line : split(text, "\n")) {
    const std::vector<std::string_view> fields = split(line, " ");
    const auto separator = std::find(fields.begin(), fields.end(), "-");
    if (separator - fields.begin() < 6 || fields.end() - separator < 3) continue;
    mounted.numbers.emplace(fields[2]);
    // bcachefs names all its disks, with colons between.
    for (const std::string_view source : split(separator[2], ":")) add_device(source, mounted.names);
  }
  return mounted;
}

Names parse_swaps(std::string_view text) {
  Names names;
  for (const std::string_view line : split(text, "\n")) {
    const std::vector<std::string_view> fields = split(line, " \t");
    if (fields.size() >= 2 && fields[1] == "partition") add_device(fields[0], names);
  }
  return names;
}

Names parse_routes(std::string_view text) {
  constexpr std::size_t kFields = 8;  // at least: Iface Destination Gateway Flags RefCnt Use Metric Mask
  Names names;
  for (const std::string_view line : split(text, "\n")) {
    const std::vector<std::string_view> fields = split(line, " \t");
    if (fields.size() >= kFields && all_zeros(fields[1]) && all_zeros(fields[7]) &&
        leads_somewhere(fields[3]))
      names.emplace(fields[0]);
  }
  return names;
}

Names parse_ipv6_routes(std::string_view text) {
  constexpr std::size_t kFields = 10;  // destination, its length, source, its length, gateway, ..., interface
  Names names;
  for (const std::string_view line : split(text, "\n")) {
    const std::vector<std::string_view> fields = split(line, " ");
    if (fields.size() == kFields && all_zeros(fields[0]) && all_zeros(fields[1]) &&
        leads_somewhere(fields[8]) && fields[9] != "lo")
      names.emplace(fields[9]);
  }
  return names;
}

bool is_keyboard(std::string_view ev, std::string_view key) {
  constexpr std::uint64_t kEvKey = 1 << 1;              // EV_KEY of linux/input-event-codes.h
  constexpr std::uint64_t kFromEscapeToD = 0xfffffffe;  // KEY_ESC to KEY_D
  return (lowest_bits(ev) & kEvKey) != 0 && (lowest_bits(key) & kFromEscapeToD) == kFromEscapeToD;
}

}  // namespace whawty
