// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The command line of the tool.
#pragma once

#include <string>
#include <vector>

namespace whawty {

enum class Command { kDevices, kCheck, kExplain, kPlan, kSuggest, kRecord };

struct ToolOptions {
  enum class Action { kRun, kHelp, kVersion, kUsageError };
  Action action = Action::kRun;
  std::string text;  // of kHelp what to show, of kUsageError what is wrong

  Command command = Command::kDevices;
  std::vector<std::string> arguments;  // as many as the command takes
  std::string connect;                 // a URI of libvirt
  std::string from;                    // path of a record, instead of this host; empty: none
  std::string config;                  // of devices; empty: none
  std::string against;                 // of plan: path of another configuration; empty: none
  bool verbose = false;
  bool strict = false;
  bool redact = false;
  bool json = false;
};

// Options may stand anywhere. Without --connect the URI is LIBVIRT_DEFAULT_URI, else qemu:///system.
ToolOptions parse_tool_options(int argc, char** argv);

}  // namespace whawty
