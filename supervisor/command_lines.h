// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the workers are told by their command lines, which common/worker.h reads.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace whawty {

struct WorkerSettings {
  std::string libvirt_uri;
  std::optional<std::vector<std::string>> domains;  // the only ones that may be changed
  bool landlock = true;
  bool host_mounts = false;  // the standard input is a list of mounts, for the scanner
  bool journal = false;      // there is one, and all but the scanner get its descriptor
  bool observe = false;      // no domain may be changed, and the matcher only says what it would ask for
};

std::vector<std::string> scanner_arguments(const WorkerSettings& settings);
std::vector<std::string> matcher_arguments(const WorkerSettings& settings);
std::vector<std::string> actuator_arguments(const WorkerSettings& settings);
std::vector<std::string> gate_arguments(const WorkerSettings& settings);

}  // namespace whawty
