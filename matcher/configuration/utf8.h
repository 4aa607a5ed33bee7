// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Where a UTF-8 character ends: for text that must be UTF-8, and for a device's text that may be anything.
#pragma once

#include <cstddef>
#include <string_view>

namespace whawty {

// The length in bytes, 1 to 4, of the well-formed character that the text starts with; 0 when it starts with
// none. Well-formed is RFC 3629's: no overlong form, no surrogate, nothing over U+10FFFF.
std::size_t utf8_length(std::string_view text);

}  // namespace whawty
