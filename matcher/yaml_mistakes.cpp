// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/yaml_mistakes.h"

#include <string>

#include "common/text.h"

namespace whawty {

YamlError explain_yaml_error(std::string_view, const YamlPosition& noticed, std::string_view error) {
  return {noticed, "not well-formed YAML: " + escape(error)};
}

}  // namespace whawty
