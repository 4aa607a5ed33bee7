// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/hostdev_xml.h"

#include "common/text.h"

namespace whawty {
namespace {

std::string xml_of(const Hostdev& hostdev, const std::string& alias) {
  std::string source;
  if (hostdev.vendor != 0)
    source += concat("<vendor id='0x", hex(hostdev.vendor, 4), "'/><product id='0x", hex(hostdev.product, 4),
                     "'/>");
  if (hostdev.bus != 0) source += concat("<address bus='", hostdev.bus, "' device='", hostdev.device, "'/>");
  return "<hostdev mode='subsystem' type='usb' managed='yes'><source>" + source + "</source>" + alias +
         "</hostdev>";
}

}  // namespace

std::string hostdev_xml(const Hostdev& hostdev) {
  return xml_of(hostdev, "");
}

std::string marked_hostdev_xml(const Hostdev& hostdev, const std::string& alias) {
  return xml_of(hostdev, concat("<alias name='", alias, "'/>"));
}

}  // namespace whawty
