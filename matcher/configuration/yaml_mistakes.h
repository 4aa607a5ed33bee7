// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What is wrong with a text that is not well-formed YAML, in the words of who wrote it: yaml-cpp says what it
// did not find, and where it noticed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "matcher/configuration/yaml_tree.h"

namespace whawty {

// For a text such as "vendor-id:0x046d", in which YAML sees no key: what to write. Printable.
std::optional<std::string> explain_missing_blank(std::string_view text);

// The likely mistake, with its own place; else yaml-cpp's error, at a place within the text.
YamlError explain_yaml_error(std::string_view text, const YamlPosition& noticed, std::string_view error);

}  // namespace whawty
