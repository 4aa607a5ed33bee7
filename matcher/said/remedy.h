// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What somebody who reads the log can do about a change that failed: a pure table of libvirt's and QEMU's
// errors.
#pragma once

#include <string_view>

#include "protocol/actuator_to_matcher.h"

namespace whawty {

// "meaning: what to do", printable and without a line break; empty for an error that is not in the table.
std::string_view remedy_of(const Result& failure);

}  // namespace whawty
