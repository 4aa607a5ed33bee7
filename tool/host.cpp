// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/host.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

namespace whawty {
namespace {

// Nothing for what is not digits alone.
std::optional<std::uint16_t> number_in(std::string_view text) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::vector<DomainView> running_domains(const Host& host, std::initializer_list<const Config*> configs) {
  std::vector<DomainView> running;
  if (host.domains) {
    for (const Domain& domain : *host.domains)
      if (domain.guest.running)
        running.push_back({domain.guest.uuid, domain.guest.name, domain.hostdevs, domain.settled});
    return running;
  }
  std::set<std::string> names;
  for (const Config* const config : configs)
    for (const Machine& machine : config->machines)
      if (names.insert(machine.name).second) running.push_back({{0, names.size()}, machine.name, {}});
  return running;
}

const Device* find_device(const Host& host, const std::string& name) {
  if (const auto found = host.devices.find(name); found != host.devices.end()) return &found->second;
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return nullptr;
  const auto bus = number_in(name.substr(0, slash));
  const auto number = number_in(name.substr(slash + 1));
  if (!bus || !number) return nullptr;
  const auto found = std::find_if(host.devices.begin(), host.devices.end(), [&](const auto& entry) {
    return entry.second.bus == *bus && entry.second.number == *number;
  });
  return found == host.devices.end() ? nullptr : &found->second;
}

const std::string* property_of(const Device& device, const std::string& name) {
  const auto found = std::find_if(device.properties.begin(), device.properties.end(),
                                  [&](const Property& one) { return one.name == name; });
  return found == device.properties.end() ? nullptr : &found->value;
}

}  // namespace whawty
