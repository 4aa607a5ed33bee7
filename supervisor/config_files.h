// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The configuration files: opened here, where there is a file system, and read by the matcher, where there is
// none.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/fd.h"

namespace whawty {

// One file, copied unread into a memory file that nobody can change, so that a configuration in use stays
// what it was when it was accepted, whatever happens to the files.
struct ConfigCopy {
  std::string name;     // the path as messages show it
  std::string machine;  // of a file of machines.d, else empty
  Fd content;
};

struct ConfigFiles {
  std::vector<ConfigCopy> files;     // the main file, then those of machines.d sorted by name
  std::vector<std::string> notices;  // what the log should say: links to nothing
};

struct ConfigReadError {
  std::string message;
};

// Copies the main file and every regular file of machines.d beside it that ends in .yml. Symbolic links are
// followed. If only trusted files are wanted, one that others than root or this user could have written, or
// put there, is an error (trust.h); so is such a folder machines.d.
std::variant<ConfigFiles, ConfigReadError> read_config_files(const std::string& path, bool trusted_only);

}  // namespace whawty
