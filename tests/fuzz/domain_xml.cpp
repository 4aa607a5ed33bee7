// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/known/domain_xml.h"

#include <algorithm>

#include "common/bounds.h"
#include "protocol/device.h"
#include "tests/fuzz/printable.h"
#include "tests/fuzz/targets.h"

namespace whawty::fuzz {
namespace {

bool has_usable_numbers(const Hostdev& hostdev) {
  const bool address = hostdev.bus != 0;
  return address == (hostdev.device != 0) && hostdev.bus <= kMaxBus && hostdev.device <= kMaxDeviceNumber &&
         (hostdev.vendor != 0 || (address && hostdev.product == 0));
}

}  // namespace

bool domain_xml(std::string_view bytes) {
  const auto parsed = parse_domain_xml(bytes);
  if (const auto* const error = std::get_if<DomainXmlError>(&parsed)) {
    require(is_a_printable_line(error->message), "an error is not one printable line");
    return false;
  }
  const auto& hostdevs = std::get<DomainDescription>(parsed).hostdevs;
  require(std::all_of(hostdevs.begin(), hostdevs.end(), has_usable_numbers), "half of a hostdev's numbers");
  return true;
}

}  // namespace whawty::fuzz
