// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Landlock: which files a process may still open. https://docs.kernel.org/userspace-api/landlock.html
#pragma once

#include <span>

namespace whawty {

// True if this kernel has Landlock, and has it switched on.
bool landlock_is_there();

// From here on this thread, and those that it starts later, may read files and list directories below the
// given ones, and use the file system in no other way that Landlock knows of; nor TCP, abstract sockets and
// signals of others, where the kernel restricts these too. Descriptors that are open stay as they are. Wants
// no_new_privs. Throws std::system_error; the caller must end the process then.
void restrict_files_to(std::span<const char* const> readable_directories);

}  // namespace whawty
