// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/known/domain_xml.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <pugixml.hpp>
#include <system_error>

#include "common/bounds.h"
#include "common/hostdev_alias.h"
#include "common/text.h"
#include "protocol/device.h"

namespace whawty {
namespace {

// Like strtoul(3) with base 0, which libvirt uses: 0x for hexadecimal, a leading 0 for octal. Signs and
// blanks, which that would take, libvirt never writes.
std::optional<std::uint16_t> parse_number(std::string_view text, std::uint16_t at_least,
                                          std::uint16_t at_most) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  std::uint16_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value, base);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < at_least || value > at_most)
    return std::nullopt;
  return value;
}

std::optional<std::uint16_t> number_of(pugi::xml_node element, const char* attribute, std::uint16_t at_least,
                                       std::uint16_t at_most) {
  return parse_number(element.attribute(attribute).value(), at_least, at_most);
}

// Fills in one pair of numbers. False when one of the two is missing or no usable number.
bool read_ids(pugi::xml_node vendor, pugi::xml_node product, Hostdev& hostdev) {
  const auto vendor_id = number_of(vendor, "id", 1, 0xffff);
  const auto product_id = number_of(product, "id", 0, 0xffff);
  if (!vendor_id || !product_id) return false;
  hostdev.vendor = *vendor_id;
  hostdev.product = *product_id;
  return true;
}

bool read_address(pugi::xml_node address, Hostdev& hostdev) {
  const auto bus = number_of(address, "bus", 1, kMaxBus);
  const auto device = number_of(address, "device", 1, kMaxDeviceNumber);
  if (!bus || !device) return false;
  hostdev.bus = *bus;
  hostdev.device = *device;
  return true;
}

bool twice(pugi::xml_node parent, const char* name) {
  return !parent.child(name).next_sibling(name).empty();
}

// Nothing where the numbers are missing, malformed or ambiguous: half of them would name another device.
std::optional<Hostdev> read_hostdev(pugi::xml_node element) {
  const pugi::xml_node source = element.child("source");
  if (twice(element, "source") || twice(source, "vendor") || twice(source, "product") ||
      twice(source, "address"))
    return std::nullopt;
  const pugi::xml_node vendor = source.child("vendor");
  const pugi::xml_node product = source.child("product");
  const pugi::xml_node address = source.child("address");
  if (!vendor && !product && !address) return std::nullopt;
  Hostdev hostdev;
  if ((vendor || product) && !read_ids(vendor, product, hostdev)) return std::nullopt;
  if (address && !read_address(address, hostdev)) return std::nullopt;
  return hostdev;
}

std::string_view alias_of(pugi::xml_node hostdev) {
  return hostdev.child("alias").attribute("name").value();
}

bool is_missing(pugi::xml_node hostdev) {
  return std::string_view(hostdev.child("source").attribute("missing").value()) == "yes";
}

bool is_usb(pugi::xml_node hostdev) {
  const pugi::xml_attribute mode = hostdev.attribute("mode");
  return std::string_view(hostdev.attribute("type").value()) == "usb" &&
         (!mode || std::string_view(mode.value()) == "subsystem");
}

std::optional<std::uint32_t> run_of(pugi::xml_node domain) {
  const std::string_view id = domain.attribute("id").value();
  std::uint32_t run = 0;
  const auto parsed = std::from_chars(id.data(), id.data() + id.size(), run);
  if (parsed.ec != std::errc() || parsed.ptr != id.data() + id.size()) return std::nullopt;
  return run;
}

DomainDescription describe(pugi::xml_node domain) {
  DomainDescription description;
  description.active = !domain.attribute("id").empty();
  description.run = run_of(domain);
  for (const pugi::xml_node devices : domain.children("devices")) {
    for (const pugi::xml_node element : devices.children("hostdev")) {
      if (!is_usb(element)) continue;
      if (const auto hostdev = read_hostdev(element))
        description.hostdevs.push_back({*hostdev, alias_of(element).starts_with(kAliasPrefix),
                                        mark_in(alias_of(element)), is_missing(element)});
      else
        ++description.unidentified;
    }
  }
  return description;
}

}  // namespace

std::variant<DomainDescription, DomainXmlError> parse_domain_xml(std::string_view xml) {
  // pugixml takes a NUL for the end, so that the rest would be ignored.
  if (const std::size_t nul = xml.find('\0'); nul != std::string_view::npos)
    return DomainXmlError{concat("domain XML: a NUL at byte ", nul)};
  if (std::count(xml.begin(), xml.end(), '<') > kMaxXmlTags)
    return DomainXmlError{concat("domain XML: more than ", kMaxXmlTags, " tags")};
  pugi::xml_document document;
  // No option is needed that expands, validates or loads anything: pugixml skips a DOCTYPE, and knows no
  // entity but the five of XML itself.
  const pugi::xml_parse_result result =
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
  if (result.status == pugi::status_out_of_memory) throw std::bad_alloc();
  if (!result)
    return DomainXmlError{concat("domain XML: ", result.description(), " at byte ", result.offset)};
  const pugi::xml_node root = document.document_element();
  if (std::string_view(root.name()) != "domain")
    return DomainXmlError{concat("domain XML: the root is <",
                                 escape(std::string_view(root.name()).substr(0, 64)),
                                 ">, expected <domain>")};
  for (pugi::xml_node next = root.next_sibling(); next; next = next.next_sibling())
    if (next.type() == pugi::node_element) return DomainXmlError{"domain XML: more than one root"};
  return describe(root);
}

}  // namespace whawty
