// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/fuzz/codec.h"

namespace whawty::fuzz {

bool matcher_to_scanner(std::string_view bytes) {
  return round_trip(bytes, decode_scan_request);
}

}  // namespace whawty::fuzz
