// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/allowed_domains.h"

namespace whawty {

bool AllowedDomains::allows(const Uuid& uuid, const std::string& name) const {
  return !domains_ || domains_->contains(name) || domains_->contains(to_string(uuid));
}

}  // namespace whawty
