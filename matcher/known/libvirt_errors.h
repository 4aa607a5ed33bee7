// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Those of libvirt's errors that the matcher tells apart, by number.
// https://libvirt.org/html/libvirt-virterror.html#virErrorNumber
#pragma once

#include <cstdint>

#include "protocol/actuator_to_matcher.h"

namespace whawty::libvirt_error {

inline constexpr std::int32_t kNone = 0;  // it is the actuator's own
inline constexpr std::int32_t kOperationFailed = 9;
inline constexpr std::int32_t kOperationDenied = 29;
inline constexpr std::int32_t kSystemError = 38;
inline constexpr std::int32_t kOperationInvalid = 55;  // refused without asking QEMU
inline constexpr std::int32_t kConfigUnsupported = 67;
inline constexpr std::int32_t kOperationTimeout = 68;
inline constexpr std::int32_t kAccessDenied = 88;

// Something else is done with the domain, and did not end while this call waited for it (30 s), or too many
// calls wait already (max_queued of qemu.conf).
inline bool is_busy(const Result& failure) {
  return failure.libvirt_code == kOperationTimeout ||
         (failure.libvirt_code == kOperationFailed &&
          failure.message.find("state change lock") != std::string::npos);
}

}  // namespace whawty::libvirt_error
