// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// From a domain's live XML to the USB hostdevs that it holds. Format:
// https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "matcher/known/facts.h"

namespace whawty {

struct DomainDescription {
  bool active = false;                // the XML is that of a running domain (its root has an id)
  std::optional<std::uint32_t> run;   // that id, if it is a number
  std::vector<LiveHostdev> hostdevs;  // of type usb, in the order of the XML
  std::size_t unidentified = 0;  // further ones of type usb that give no usable numbers, or malformed ones
};

struct DomainXmlError {
  std::string message;  // one printable line
};

std::variant<DomainDescription, DomainXmlError> parse_domain_xml(std::string_view xml);

}  // namespace whawty
