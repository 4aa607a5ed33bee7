// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/device.h"

#include "common/bounds.h"

namespace whawty {
namespace {

// Nothing, or one of the objections: empty is none.
using Objection = std::string_view;

bool within(std::size_t value, std::size_t at_least, std::size_t at_most) {
  return at_least <= value && value <= at_most;
}

Objection objection_to(const std::vector<Property>& properties) {
  if (properties.size() > kMaxProperties) return "the number of properties out of bounds";
  const Property* last = nullptr;
  for (const Property& property : properties) {
    if (!within(property.name.size(), 1, kMaxPropertyName))
      return "a property's name of a length out of bounds";
    if (property.value.size() > kMaxPropertyValue) return "a property's value of a length out of bounds";
    if (last != nullptr && last->name >= property.name) return "properties that are not sorted";
    last = &property;
  }
  return {};
}

Objection objection_to(const std::vector<std::string>& tags) {
  if (tags.size() > kMaxTags) return "the number of tags out of bounds";
  for (const std::string& tag : tags)
    if (!within(tag.size(), 1, kMaxTag)) return "a tag of a length out of bounds";
  return {};
}

Objection objection_to(const std::vector<HostUse>& uses) {
  if (uses.size() > kMaxHostUses) return "the number of the host's uses out of bounds";
  const HostUse* last = nullptr;
  for (const HostUse& use : uses) {
    if (use.kind > kLastHostUseKind) return "a kind of the host's use out of bounds";
    if (!within(use.name.size(), 1, kMaxHostUseName))
      return "the name of what the host uses of a length out of bounds";
    if (last != nullptr && *last >= use) return "uses of the host that are not sorted";
    last = &use;
  }
  return {};
}

Objection objection_to_driver(const Device& device) {
  if (device.driver > kLastDriverKind) return "a kind of driver out of bounds";
  const bool named = device.driver == DriverKind::kHost;
  if (!within(device.host_driver.size(), named ? 1 : 0, named ? kMaxDriverName : 0))
    return "the name of a driver of a length out of bounds";
  return {};
}

}  // namespace

std::size_t footprint(const Device& device) {
  std::size_t bytes = sizeof device + device.interface_classes.size() + device.host_driver.size();
  for (const Property& property : device.properties)
    bytes += sizeof property + property.name.size() + property.value.size();
  for (const auto* const tags : {&device.tags, &device.current_tags})
    for (const std::string& tag : *tags) bytes += sizeof(std::string) + tag.size();
  for (const HostUse& use : device.host_uses) bytes += sizeof use + use.name.size();
  return bytes;
}

void omit_properties(Device& device) {
  device.properties.clear();
  device.tags.clear();
  device.current_tags.clear();
  device.properties_omitted = true;
}

std::string_view objection_to_sysname(std::string_view sysname) {
  if (!within(sysname.size(), 1, kMaxSysname)) return "a sysfs name of a length out of bounds";
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:_-";
  if (sysname.find_first_not_of(kAllowed) != std::string_view::npos)
    return "a sysfs name that the kernel would not give";
  return {};
}

std::string_view objection_to(const Device& device) {
  if (const Objection found = objection_to_sysname(device.sysname); !found.empty()) return found;
  if (!within(device.bus, 1, kMaxBus)) return "a bus out of bounds";
  if (!within(device.number, 1, kMaxDeviceNumber)) return "a device number out of bounds";
  if (device.interface_classes.size() > kMaxInterfaces) return "the number of interfaces out of bounds";
  if (const Objection found = objection_to(device.properties); !found.empty()) return found;
  if (const Objection found = objection_to(device.tags); !found.empty()) return found;
  if (const Objection found = objection_to(device.current_tags); !found.empty()) return found;
  if (const Objection found = objection_to(device.host_uses); !found.empty()) return found;
  return objection_to_driver(device);
}

}  // namespace whawty
