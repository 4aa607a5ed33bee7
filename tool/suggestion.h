// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What `suggest` writes: a rule that is as tight as is stable, as a file of machines.d.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "matcher/known/facts.h"
#include "tool/text_layout.h"

namespace whawty {

struct Suggestion {
  std::string yaml;                   // with the reason as comments
  std::vector<const Device*> others;  // devices that it matches as well
};

// Or why there is none. Of the style only its letters count.
std::variant<Suggestion, std::string> suggest(const Device& device, const DeviceMap& devices,
                                              const std::string& machine, const Style& style);

}  // namespace whawty
