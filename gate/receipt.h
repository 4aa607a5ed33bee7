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

// An attach or detach that libvirtd is asked for, or has answered.
struct Receipt {
  enum class Stage { kAsked, kDone, kFailed };

  bool attach = false;  // else a detach
  Uuid domain;
  Hostdev hostdev;
  std::uint64_t request = 0;  // of an attach: the matcher's number of it, which is in its alias
  Stage stage = Stage::kAsked;
  std::uint32_t error = 0;          // a virErrorNumber, if it has failed
  std::chrono::nanoseconds took{};  // of an answer
  bool operator==(const Receipt&) const = default;
};

std::string text_of(const Receipt& receipt);

// To the journal, if there is one; else in debug mode only.
void write_down(const Receipt& receipt);

}  // namespace whawty
