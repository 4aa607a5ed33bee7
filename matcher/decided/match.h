// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether a device fits a rule. Pure functions of values; a device's strings are compared as bytes.
#pragma once

#include <cstddef>
#include <optional>

#include "matcher/configuration/config.h"
#include "protocol/device.h"

namespace whawty {

bool matches(const Rule& rule, const Device& device);

// The index of the machine's first rule that the device matches; or that also allows what the host is using.
std::optional<std::size_t> first_match(const Machine& machine, const Device& device);
std::optional<std::size_t> first_match_for_host_device(const Machine& machine, const Device& device);

}  // namespace whawty
