// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A message that no correct peer sends. Nothing is repaired: the receiver logs it once and ends.
#pragma once

#include <stdexcept>

namespace whawty {

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace whawty
