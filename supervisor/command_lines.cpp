// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/command_lines.h"

#include "common/descriptors.h"
#include "common/text.h"

namespace whawty {
namespace {

std::vector<std::string> usual_arguments(const WorkerSettings& settings) {
  if (settings.landlock) return {};
  return {"--without-landlock"};
}

std::vector<std::string> with_journal(const WorkerSettings& settings) {
  std::vector<std::string> arguments = usual_arguments(settings);
  if (settings.journal) arguments.emplace_back("--journal");
  return arguments;
}

std::vector<std::string> with_domains(const WorkerSettings& settings, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = with_journal(settings);
  arguments.insert(arguments.end(), more.begin(), more.end());
  const bool none = settings.observe || (settings.domains && settings.domains->empty());
  if (none) arguments.emplace_back("--no-domain");
  if (none || !settings.domains) return arguments;
  for (const std::string& domain : *settings.domains) arguments.insert(arguments.end(), {"--domain", domain});
  return arguments;
}

}  // namespace

std::vector<std::string> matcher_arguments(const WorkerSettings& settings) {
  std::vector<std::string> arguments = with_journal(settings);
  if (settings.observe) arguments.emplace_back("--observe");
  return arguments;
}

std::vector<std::string> scanner_arguments(const WorkerSettings& settings) {
  std::vector<std::string> arguments = usual_arguments(settings);
  if (settings.host_mounts) arguments.emplace_back("--host-mounts");
  return arguments;
}

std::vector<std::string> actuator_arguments(const WorkerSettings& settings) {
  // The socket has no name: it was unlinked as soon as it was there.
  const std::string gate = concat("qemu+unix:///system?socket=/proc/self/fd/", kActuatorToGate);
  return with_domains(settings, {"--connect", gate, "--libvirt", settings.libvirt_uri});
}

std::vector<std::string> gate_arguments(const WorkerSettings& settings) {
  return with_domains(settings, {"--connect", settings.libvirt_uri});
}

}  // namespace whawty
