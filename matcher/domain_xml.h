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

#include "protocol/domain.h"

namespace whawty {

// A hostdev of a running domain, with the numbers that its live XML gives.
struct LiveHostdev : Hostdev {
  bool ours = false;                  // this daemon attached it, says its alias
  std::optional<std::uint64_t> mark;  // of the device that it attached, likewise: see hostdev_alias.h
  // There was no such device when the guest started, or when it was attached. QEMU was told no number then,
  // and takes any device that it can open.
  bool missing = false;
  auto operator<=>(const LiveHostdev&) const = default;
};

struct DomainDescription {
  bool active = false;                // the XML is that of a running domain (its root has an id)
  std::vector<LiveHostdev> hostdevs;  // of type usb, in the order of the XML
  std::size_t unidentified = 0;  // further ones of type usb that give no usable numbers, or malformed ones
};

struct DomainXmlError {
  std::string message;  // one printable line
};

std::variant<DomainDescription, DomainXmlError> parse_domain_xml(std::string_view xml);

}  // namespace whawty
