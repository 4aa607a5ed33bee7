// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether a file says what its administrators say, or what anybody may have written.
#pragma once

#include <optional>
#include <string>

#include "common/fd.h"

namespace whawty {

// Why the file or folder, opened by that path, is not to be trusted: it, or a folder on the way to it,
// belongs to a user who is neither root nor the one of this process, or everybody can write to it. On the way
// are all folders that a name of the path, or of the target of a symbolic link, is looked up in. The reason
// names the folder and what to do. Nothing if it is to be trusted.
std::optional<std::string> reason_not_to_trust(const Fd& file, const std::string& path);

}  // namespace whawty
