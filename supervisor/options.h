// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The command line.
#pragma once

#include <string>

namespace whawty {

struct Options {
  enum class Action { kRun, kHelp, kVersion, kUsageError };
  Action action = Action::kRun;
  std::string config;   // path of the main configuration file
  std::string connect;  // a URI that libvirt_sockets() knows
  std::string domains;  // path of the list of domains that may be changed; empty: all may
  bool landlock = true;
  bool observe = false;  // change no domain, and say what would be changed
  std::string mistake;   // of a usage error
};

extern const char kUsage[];

// Options may stand before or after CONFIG. Without --connect the URI is LIBVIRT_DEFAULT_URI, else
// qemu:///system.
Options parse_options(int argc, char** argv);

}  // namespace whawty
