// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/port_path.h"

namespace whawty {

std::vector<std::string> ports_on_the_way_to(const std::string& sysname) {
  std::vector<std::string> ports;
  for (auto dot = sysname.find('.'); dot != std::string::npos; dot = sysname.find('.', dot + 1))
    ports.push_back(sysname.substr(0, dot));
  ports.push_back(sysname);
  return ports;
}

}  // namespace whawty
