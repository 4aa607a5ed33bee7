// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What records of the journal say of devices, guests and changes, as fields. docs/behaviour.md lists them.
#pragma once

#include <string>

#include "common/domain.h"
#include "common/record.h"
#include "protocol/actuator_to_matcher.h"
#include "protocol/device.h"

namespace whawty {

// Each adds what is known.
void add_device(Record& record, const Device& device);
void add_hostdev(Record& record, const Hostdev& hostdev);
void add_guest(Record& record, const std::string& name, const Uuid& uuid);
void add_result(Record& record, const Result& result);

}  // namespace whawty
