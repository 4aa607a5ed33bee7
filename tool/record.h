// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A host as a file: its devices and domains, line by line, for tests of a configuration elsewhere and for bug
// reports. The manual page describes the format. Who wrote a record is not trusted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "tool/host.h"

namespace whawty {

// All devices that fit a daemon, each byte of them escaped.
inline constexpr std::size_t kMaxRecord = 32 * 1024 * 1024;  // bytes

// "mounted": how records, and JSON, name what the host does with a device.
std::string_view name_of_use(HostUseKind kind);

std::string write_record(const Host& host);

struct RecordError {
  std::size_t line = 1;
  std::string message;  // printable
};

// The same bounds hold as for what the scanner and libvirt say.
std::variant<Host, RecordError> read_record(std::string_view text);

// With serial numbers, and all that was computed of them, replaced by digests: equal ones by equal digests.
// Without the salt nobody can find a serial number by trying.
Host redacted(const Host& host, const std::string& salt);

}  // namespace whawty
