// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/suggestion.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "common/text.h"
#include "matcher/configuration/config_loader.h"
#include "matcher/decided/match.h"
#include "matcher/decided/plan.h"
#include "matcher/said/messages.h"
#include "tool/device_list.h"
#include "tool/host.h"

namespace whawty {
namespace {

// Whether a text can stand between single quotes of YAML.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// Makers that do not number their devices write such.
bool tells_nothing(const std::string& serial) {
  constexpr std::size_t kFewest = 3;  // different characters
  const bool few = std::set<char>(serial.begin(), serial.end()).size() < kFewest;
  return few || std::string_view("0123456789abcdef").starts_with(serial) ||
         std::string_view("123456789abcdef").starts_with(serial);
}

bool is_shared(const Device& device, const std::string& serial, const DeviceMap& devices) {
  return std::ranges::any_of(devices, [&](const auto& entry) {
    const Device& other = entry.second;
    const std::string* const its = property_of(other, "ID_SERIAL_SHORT");
    return other.sysname != device.sysname && other.vendor == device.vendor &&
           other.product == device.product && its != nullptr && *its == serial;
  });
}

std::string condition(const std::string& name, const std::string& value) {
  std::string quoted = value;
  for (std::size_t at = 0; (at = quoted.find('\'', at)) != std::string::npos; at += 2)
    quoted.insert(at, 1, '\'');
  return concat("  udev: {env: [{name: ", name, ", equals: '", quoted, "'}]}\n");
}

// Comments, and conditions beside vendor and product.
struct Identity {
  std::string reason, conditions;
};

Identity by_serial(const std::string& serial) {
  return {"# It has a serial number of its own: it is known wherever it is plugged.\n",
          condition("ID_SERIAL_SHORT", serial)};
}

// Devices without a path, as those of emulated controllers, are known by their ids alone.
Identity by_socket(const Device& device, const std::string& why) {
  const std::string* const side = property_of(device, "ID_PATH_WITH_USB_REVISION");
  const std::string* const path = property_of(device, "ID_PATH");
  const std::string wherever =
      "# Whatever has its ids and is plugged into the same socket gets there, too.\n";
  if (side != nullptr && is_plain(*side))
    return {why + "# So it is known by its socket.\n" + wherever,
            condition("ID_PATH_WITH_USB_REVISION", *side)};
  if (path != nullptr && is_plain(*path))
    return {why + "# So it is known by its socket. The bus tells USB 2 from USB 3.\n" + wherever,
            concat("  bus: ", device.bus, '\n', condition("ID_PATH", *path))};
  return {why + "# udev tells no path of its socket. So any device with its ids matches.\n", ""};
}

Identity identity_of(const Device& device, const DeviceMap& devices) {
  const std::string* const serial = property_of(device, "ID_SERIAL_SHORT");
  if (serial == nullptr || serial->empty()) return by_socket(device, "# It has no serial number.\n");
  if (!is_plain(*serial)) return by_socket(device, "# Its serial number is not printable ASCII.\n");
  if (is_shared(device, *serial, devices))
    return by_socket(device,
                     concat("# Another device here has its serial number, ", show_word(*serial), ".\n"));
  if (tells_nothing(*serial))
    return by_socket(
        device, concat("# Its serial number looks like that of every copy: ", show_word(*serial), ".\n"));
  return by_serial(*serial);
}

std::string warnings_of(const Device& device) {
  std::string text;
  if (!device.host_uses.empty())
    text += concat("# The host uses it: ", text_of(device.host_uses),
                   ".\n# It stays there unless the rule says allow-host-device: true.\n");
  if (!device.authorized)
    text += "# The host has not authorized it. Until then it stays there, whatever the rule says.\n";
  return text;
}

}  // namespace

std::variant<Suggestion, std::string> suggest(const Device& device, const DeviceMap& devices,
                                              const std::string& machine, const Style& style) {
  if (!can_be_attached(device))
    return concat(name_of(device),
                  ": no guest can have it: ", device.vendor == 0 ? "it has no vendor id" : "it is a hub");
  if (machine.empty() || machine.starts_with('.') || machine.find('/') != std::string::npos)
    return concat(show_name(machine), " cannot be the name of a file in machines.d");
  const auto [reason, conditions] = identity_of(device, devices);
  Suggestion suggestion;
  const Style comment{.width = 0, .unicode = style.unicode};
  constexpr std::size_t kLongest = 50;  // columns
  const std::string title = cut(clean(title_of(device), comment), kLongest, comment);
  suggestion.yaml =
      concat("# machines.d/", escape(machine), ".yml\n# ", title.empty() ? "" : title + ", ", "now at port ",
             device.sysname, ".\n", reason, warnings_of(device), "devices:\n- vendor-id: 0x",
             hex(device.vendor, 4), "\n  product-id: 0x", hex(device.product, 4), '\n', conditions);
  const std::vector<ConfigText> files{{"", "", "{}"}, {"", machine, suggestion.yaml}};
  const LoadedConfig loaded = std::get<LoadedConfig>(load_config(files));
  for (const auto& [sysname, other] : devices)
    if (sysname != device.sysname && matches(loaded.config.machines[0].rules[0], other))
      suggestion.others.push_back(&other);
  return suggestion;
}

}  // namespace whawty
