// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the gate itself says of a change that passed it: by numbers, and by what libvirtd answered, whatever
// the other processes say.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/domain.h"

namespace whawty {

// An attach or detach that libvirtd has answered.
struct Receipt {
  bool attach = false;  // else a detach
  Uuid domain;
  Hostdev hostdev;
  std::uint64_t request = 0;  // of an attach: the matcher's number of it, which is in its alias
  bool done = false;
  std::uint32_t error = 0;  // a virErrorNumber, if it is not done
  std::chrono::nanoseconds took{};
  bool operator==(const Receipt&) const = default;
};

std::string text_of(const Receipt& receipt);

// To the journal, if there is one; else in debug mode only.
void write_down(const Receipt& receipt);

}  // namespace whawty
