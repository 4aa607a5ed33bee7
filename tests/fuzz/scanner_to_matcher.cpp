// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/fuzz/codec.h"

namespace whawty::fuzz {

bool scanner_to_matcher(std::string_view bytes) {
  return round_trip(bytes, decode_scanner_message);
}

}  // namespace whawty::fuzz
