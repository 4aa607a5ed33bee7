// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A change of a domain's hostdevs, as everybody names it who has to do with it.
#pragma once

#include <compare>

#include "common/domain.h"

namespace whawty {

struct ChangeKey {
  Uuid domain;
  bool attach = false;  // else a detach
  Hostdev hostdev;
  auto operator<=>(const ChangeKey&) const = default;
};

}  // namespace whawty
