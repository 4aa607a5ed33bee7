// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/hostdev_xml.h"

#include <algorithm>
#include <charconv>

#include "common/bounds.h"
#include "common/hostdev_alias.h"
#include "common/text.h"

namespace whawty {
namespace {

constexpr std::string_view kBegin = "<hostdev mode='subsystem' type='usb' managed='yes'><source>";
constexpr std::string_view kVendor = "<vendor id='0x";
constexpr std::string_view kProduct = "'/><product id='0x";
constexpr std::string_view kBus = "<address bus='";
constexpr std::string_view kDevice = "' device='";
constexpr std::string_view kAfterNumbers = "'/>";
constexpr std::string_view kAfterSource = "</source>";
constexpr std::string_view kAlias = "<alias name='";
constexpr std::string_view kEnd = "</hostdev>";

std::string xml_of(const Hostdev& hostdev, const std::string& alias) {
  std::string source;
  if (hostdev.vendor != 0)
    source += concat(kVendor, hex(hostdev.vendor, 4), kProduct, hex(hostdev.product, 4), kAfterNumbers);
  if (hostdev.bus != 0) source += concat(kBus, hostdev.bus, kDevice, hostdev.device, kAfterNumbers);
  return concat(kBegin, source, kAfterSource, alias, kEnd);
}

// Takes numbers out of a text by where they stand. What stands between them is skipped unread: whoever
// renders the numbers again sees whether it was the same.
class Numbers {
 public:
  explicit Numbers(std::string_view text) : rest_(text) {}

  bool next_is(std::string_view text) const { return rest_.starts_with(text); }
  void skip(std::string_view text) { rest_.remove_prefix(std::min(text.size(), rest_.size())); }

  // The number after as much text as this; 0 if there is none or it is too large.
  template <class Number>
  Number after(std::string_view text, int base) {
    skip(text);
    Number number = 0;
    const char* const end = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number, base).ptr;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return number;
  }

 private:
  std::string_view rest_;
};

Hostdev take_hostdev(Numbers& numbers) {
  Hostdev hostdev;
  numbers.skip(kBegin);
  if (numbers.next_is(kVendor)) {
    hostdev.vendor = numbers.after<std::uint16_t>(kVendor, 16);
    hostdev.product = numbers.after<std::uint16_t>(kProduct, 16);
    numbers.skip(kAfterNumbers);
  }
  if (numbers.next_is(kBus)) {
    hostdev.bus = numbers.after<std::uint16_t>(kBus, 10);
    hostdev.device = numbers.after<std::uint16_t>(kDevice, 10);
    numbers.skip(kAfterNumbers);
  }
  return hostdev;
}

std::string take_alias(Numbers& numbers) {
  numbers.skip(kAfterSource);
  numbers.skip(kAlias);
  const auto mark = numbers.after<std::uint64_t>(kAliasPrefix, 16);
  return hostdev_alias(mark, numbers.after<std::uint64_t>("-", 10));
}

bool has_ids(const Hostdev& hostdev) {
  return hostdev.vendor != 0;
}

bool has_address(const Hostdev& hostdev) {
  return hostdev.bus != 0 && hostdev.bus <= kMaxBus && hostdev.device != 0 &&
         hostdev.device <= kMaxDeviceNumber;
}

bool has_no_address(const Hostdev& hostdev) {
  return hostdev.bus == 0 && hostdev.device == 0;
}

}  // namespace

std::string hostdev_xml(const Hostdev& hostdev) {
  return xml_of(hostdev, "");
}

std::string marked_hostdev_xml(const Hostdev& hostdev, const std::string& alias) {
  return xml_of(hostdev, concat(kAlias, alias, kAfterNumbers));
}

std::optional<Hostdev> hostdev_in(std::string_view xml) {
  Numbers numbers(xml);
  const Hostdev hostdev = take_hostdev(numbers);
  const bool named = has_address(hostdev) || (has_ids(hostdev) && has_no_address(hostdev));
  if (!named || xml != hostdev_xml(hostdev)) return std::nullopt;
  return hostdev;
}

std::optional<Hostdev> marked_hostdev_in(std::string_view xml) {
  Numbers numbers(xml);
  const Hostdev hostdev = take_hostdev(numbers);
  const std::string alias = take_alias(numbers);
  if (!has_address(hostdev) || !has_ids(hostdev) || xml != marked_hostdev_xml(hostdev, alias))
    return std::nullopt;
  return hostdev;
}

// It stands behind the last dash.
std::uint64_t occasion_in(std::string_view marked_xml) {
  marked_xml.remove_prefix(marked_xml.rfind('-'));
  return Numbers(marked_xml).after<std::uint64_t>("-", 10);
}

}  // namespace whawty
