// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/policy_digest.h"

#include "common/sha256.h"

namespace whawty {

std::string policy_digest(std::span<const ConfigText> files) {
  std::string sums;
  for (const ConfigText& file : files) {
    const std::string name = file.file.substr(file.file.rfind('/') + 1);
    sums += to_string(sha256(file.content)) + (file.machine.empty() ? "  " : "  machines.d/") + name + '\n';
  }
  return to_string(sha256(sums));
}

}  // namespace whawty
