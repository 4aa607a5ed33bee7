// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/command_lines.h"

namespace whawty {

std::vector<std::string> matcher_arguments(const WorkerSettings& settings) {
  if (settings.landlock) return {};
  return {"--without-landlock"};
}

std::vector<std::string> scanner_arguments(const WorkerSettings& settings) {
  std::vector<std::string> arguments = matcher_arguments(settings);
  if (settings.host_mounts) arguments.emplace_back("--host-mounts");
  return arguments;
}

std::vector<std::string> actuator_arguments(const WorkerSettings& settings) {
  std::vector<std::string> arguments = matcher_arguments(settings);
  arguments.insert(arguments.end(), {"--connect", settings.libvirt_uri});
  if (!settings.domains) return arguments;
  if (settings.domains->empty()) arguments.emplace_back("--no-domain");
  for (const std::string& domain : *settings.domains) arguments.insert(arguments.end(), {"--domain", domain});
  return arguments;
}

}  // namespace whawty
