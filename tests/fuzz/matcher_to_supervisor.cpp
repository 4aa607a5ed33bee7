// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/fuzz/codec.h"

namespace whawty::fuzz {

bool matcher_to_supervisor(std::string_view bytes) {
  return round_trip(bytes, decode_policy_message);
}

}  // namespace whawty::fuzz
