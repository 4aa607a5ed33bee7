// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/device_list.h"

#include <algorithm>
#include <tuple>

#include "common/hostdev_text.h"
#include "common/sha256.h"
#include "common/text.h"
#include "matcher/decided/plan.h"
#include "matcher/said/messages.h"
#include "tool/record.h"

namespace whawty {
namespace {

// https://www.usb.org/defined-class-codes
struct Class {
  std::uint8_t code;
  const char* name;
};
constexpr Class kClasses[] = {
    {0x01, "audio"},    {0x02, "comm"},     {0x03, "hid"},    {0x05, "physical"}, {0x06, "image"},
    {0x07, "printer"},  {0x08, "storage"},  {0x09, "hub"},    {0x0a, "data"},     {0x0b, "smartcard"},
    {0x0d, "security"}, {0x0e, "video"},    {0x0f, "health"}, {0x10, "av"},       {0x11, "billboard"},
    {0xdc, "diagnose"}, {0xe0, "wireless"}, {0xef, "misc"},   {0xfe, "app"},      {0xff, "vendor"},
};

std::string class_name(std::uint8_t code) {
  const auto found = std::ranges::find(kClasses, code, &Class::code);
  return found == std::end(kClasses) ? hex(code, 2) : found->name;
}

// Each once, in the device's order.
std::string interfaces_of(const Device& device) {
  std::vector<std::string> names;
  for (const std::uint8_t code : device.interface_classes)
    if (std::string name = class_name(code); std::ranges::find(names, name) == names.end())
      names.push_back(std::move(name));
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

// udev writes _ for a blank. More than one would look like the end of a column.
std::string with_blanks(std::string text) {
  std::ranges::replace(text, '_', ' ');
  const auto doubled =
      std::unique(text.begin(), text.end(), [](char one, char next) { return one == ' ' && next == ' '; });
  text.erase(doubled, text.end());
  return text;
}

// udev writes the id where the device has no text.
std::string said_or_known(const Device& device, const std::string& said, const std::string& known,
                          std::uint16_t id) {
  const std::string* const own = property_of(device, said);
  if (own != nullptr && *own != hex(id, 4)) return with_blanks(*own);
  const std::string* const other = property_of(device, known);
  return other != nullptr ? *other : "";
}

std::string model_of(const Device& device) {
  return said_or_known(device, "ID_MODEL", "ID_MODEL_FROM_DATABASE", device.product);
}

std::string serial_of(const Device& device) {
  const std::string* const serial = property_of(device, "ID_SERIAL_SHORT");
  return serial == nullptr ? "" : *serial;
}

std::string guest_of(const DeviceList& list, const Device& device) {
  const auto found = list.guests.find(device.sysname);
  return found == list.guests.end() ? "" : found->second;
}

std::string state_of(const DeviceList& list, const Device& device, const Style& style) {
  const std::string guest = guest_of(list, device);
  if (!guest.empty()) return "guest " + clean(guest, style);
  if (!device.authorized) return "not authorized";
  if (!device.digest) return "does not answer";
  if (!can_be_attached(device)) return device.vendor == 0 ? "no vendor id" : "hub";
  std::string uses;
  for (const HostUse& use : device.host_uses)
    uses += concat(uses.empty() ? "host: " : ", ", name_of_use(use.kind), ' ', clean(use.name, style));
  return uses.empty() ? "free" : uses;
}

std::vector<Claim> claims_of(const DeviceList& list, const Device& device) {
  return list.rules == nullptr ? std::vector<Claim>() : list.rules->claims(device);
}

// That of the guest that has it, else the first, and how many machines have another.
std::string rule_of(const DeviceList& list, const Device& device, const Style& style) {
  const std::vector<Claim> claims = claims_of(list, device);
  if (claims.empty()) return "-";
  const std::string guest = guest_of(list, device);
  auto shown = std::ranges::find_if(
      claims, [&](const Claim& one) { return list.rules->machine(one.machine).name == guest; });
  if (shown == claims.end()) shown = claims.begin();
  const std::string name =
      concat(clean(list.rules->machine(shown->machine).name, style), '[', shown->rule, ']');
  return claims.size() == 1 ? name : concat(name, " +", claims.size() - 1);
}

Json texts(const std::vector<std::string>& all) {
  return Json::list_of(all, [](const std::string& one) { return Json::of(one); });
}

Json json_of(const DeviceList& list, const Device& device) {
  const std::string guest = guest_of(list, device);
  const auto use = [](const HostUse& one) {
    return Json::object({{"kind", Json::of(name_of_use(one.kind))}, {"name", Json::of(one.name)}});
  };
  const auto rule = [&](const Claim& one) {
    return Json::object(
        {{"machine", Json::of(list.rules->machine(one.machine).name)}, {"rule", Json::of(one.rule)}});
  };
  const auto property = [](const Property& one) {
    return Json::object({{"name", Json::of(one.name)}, {"value", Json::of(one.value)}});
  };
  return Json::object({
      {"device", device_name_json(device)},
      {"class", Json::of(hex(device.device_class, 2))},
      {"interfaces",
       Json::list_of(device.interface_classes, [](std::uint8_t one) { return Json::of(hex(one, 2)); })},
      {"authorized", Json::of(device.authorized)},
      {"digest", device.digest ? Json::of(to_string(*device.digest)) : Json()},
      {"host_driver", device.host_driver.empty() ? Json() : Json::of(device.host_driver)},
      {"host_uses", Json::list_of(device.host_uses, use)},
      {"guest", guest.empty() ? Json() : Json::of(guest)},
      {"rules", list.rules == nullptr ? Json() : Json::list_of(claims_of(list, device), rule)},
      {"properties", Json::list_of(device.properties, property)},
      {"tags", texts(device.tags)},
      {"current_tags", texts(device.current_tags)},
  });
}

}  // namespace

DeviceList list_devices(const Host& host, const Rulebook* rules) {
  DeviceList list;
  list.rules = rules;
  for (const auto& [sysname, device] : host.devices) list.devices.push_back(&device);
  std::ranges::sort(list.devices, {},
                    [](const Device* one) { return std::tuple(one->bus, one->number, one->sysname); });
  const std::vector<DomainView> domains = running_domains(host, {});
  const Rulebook none(Config{});
  std::map<Uuid, std::string> names;
  for (const DomainView& domain : domains) names.emplace(domain.uuid, domain.name);
  for (const Held& held : holdings(host.devices, domains, rules == nullptr ? none : *rules))
    list.guests.emplace(held.sysname, names.at(held.domain));
  return list;
}

std::string title_of(const Device& device) {
  const std::string vendor = said_or_known(device, "ID_VENDOR", "ID_VENDOR_FROM_DATABASE", device.vendor);
  const std::string model = model_of(device);
  return vendor.empty() || model.empty() ? vendor + model : vendor + ' ' + model;
}

std::string device_table(const DeviceList& list, const Style& style) {
  // There, what it is tells more than who makes it.
  const bool narrow = style.width > 0 && style.width < 120;
  const Columns columns{3, list.rules == nullptr ? 1U : 2U};  // the first name the device
  std::vector<std::vector<std::string>> rows{
      {"DEVICE", "PORT", "ID", "NAME", "SERIAL", "INTERFACES", "STATE"}};
  if (list.rules != nullptr) rows[0].emplace_back("RULE");
  for (const Device* const device : list.devices) {
    const std::string model = model_of(*device);
    const std::string name = model.empty() || !narrow ? title_of(*device) : model;
    rows.push_back({address_of(hostdev_of(*device)), device->sysname, ids_of(hostdev_of(*device)),
                    clean(name, style), clean(serial_of(*device), style), interfaces_of(*device),
                    state_of(list, *device, style)});
    if (list.rules != nullptr) rows.back().push_back(rule_of(list, *device, style));
  }
  return table(rows, columns, style);
}

std::string device_details(const DeviceList& list) {
  std::string text;
  for (const Device* const device : list.devices) {
    for (const std::string& line : listing_of(*device)) text += line + '\n';
    text += concat("  interfaces: ", interfaces_of(*device), '\n');
    if (const std::string guest = guest_of(list, *device); !guest.empty())
      text += concat("  guest: ", show_name(guest), '\n');
    for (const Claim& claim : claims_of(list, *device))
      text += concat("  rule: ", rule_name(list.rules->machine(claim.machine).name, claim.rule), '\n');
  }
  return text;
}

Json device_json(const DeviceList& list) {
  return Json::object(
      {{"devices", Json::list_of(list.devices, [&](const Device* one) { return json_of(list, *one); })}});
}

Json device_name_json(const Device& device) {
  return Json::object({{"port", Json::of(device.sysname)},
                       {"bus", Json::of(device.bus)},
                       {"number", Json::of(device.number)},
                       {"vendor_id", Json::of(hex(device.vendor, 4))},
                       {"product_id", Json::of(hex(device.product, 4))},
                       {"name", Json::of(title_of(device))},
                       {"serial", Json::of(serial_of(device))}});
}

}  // namespace whawty
