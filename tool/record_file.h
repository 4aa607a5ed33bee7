// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Where a record goes.
#pragma once

#include <string>
#include <string_view>

namespace whawty {

// All of the text or nothing, for its owner alone. It takes the place of a regular file; anything else under
// that name, as a symbolic link or a device, is refused. Throws what can be said to the user.
void write_file(const std::string& path, std::string_view text);

}  // namespace whawty
