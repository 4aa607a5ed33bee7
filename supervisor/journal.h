// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The way of records to the journal.
#pragma once

#include <string>

namespace whawty {

// Connects to the journal, at the descriptor that workers have it at, and has the records of this process
// sent there. False, and nothing is open, if there is none. Throws std::system_error.
bool open_journal(const std::string& path = "/run/systemd/journal/socket");

}  // namespace whawty
