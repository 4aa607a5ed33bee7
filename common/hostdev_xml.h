// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The <hostdev> element for libvirt, made of numbers alone, and the numbers in such an element.
// Format: https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/domain.h"

namespace whawty {

// Names the hostdev of that domain whose numbers these are. Those that are not given (0) are left out.
std::string hostdev_xml(const Hostdev& hostdev);

// The same for a hostdev that is to be, with its alias.
std::string marked_hostdev_xml(const Hostdev& hostdev, const std::string& alias);

// The hostdev for which hostdev_xml() gives exactly this text: at least one pair of numbers, within their
// bounds. Nothing for any other text. No XML is parsed for that.
std::optional<Hostdev> hostdev_in(std::string_view xml);

// The same for marked_hostdev_xml() with an alias that hostdev_alias() makes, and all four numbers.
std::optional<Hostdev> marked_hostdev_in(std::string_view xml);

// The occasion in the alias of such a text.
std::uint64_t occasion_in(std::string_view marked_xml);

}  // namespace whawty
