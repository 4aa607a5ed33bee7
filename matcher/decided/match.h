// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether a device fits a rule. Pure functions of values; a device's strings are compared as bytes.
#pragma once

#include "matcher/configuration/config.h"
#include "protocol/device.h"

namespace whawty {

bool matches(const Rule& rule, const Device& device);

}  // namespace whawty
