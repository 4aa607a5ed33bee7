// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The only domains that may be changed, whatever the configuration and the matcher say: --domains.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "common/domain.h"

namespace whawty {

class AllowedDomains {
 public:
  // No restriction.
  AllowedDomains() = default;

  // Only domains of these names or UUIDs (as virsh prints them).
  explicit AllowedDomains(std::set<std::string> domains) : domains_(std::move(domains)) {}

  bool is_set() const { return domains_.has_value(); }
  bool allows(const Uuid& uuid, const std::string& name) const;

 private:
  std::optional<std::set<std::string>> domains_;
};

}  // namespace whawty
