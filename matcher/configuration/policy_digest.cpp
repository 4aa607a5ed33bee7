// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/configuration/policy_digest.h"

#include "common/sha256.h"

namespace whawty {

std::string policy_digest(std::span<const ConfigText> files) {
  const std::size_t folder = files.empty() ? 0 : files.front().file.rfind('/') + 1;
  std::string sums;
  for (const ConfigText& file : files)
    sums += to_string(sha256(file.content)) + "  " + file.file.substr(folder) + '\n';
  return to_string(sha256(sums));
}

}  // namespace whawty
