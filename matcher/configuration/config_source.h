// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Text of a configuration file as people see it in messages: a value in a sentence, and the line with the
// mistake.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "matcher/configuration/yaml_tree.h"

namespace whawty {

// As it is if all of it is printable ASCII, also a backslash; else between double quotes as show() has it.
// Of a longer text only its beginning, followed by three dots.
std::string printable(std::string_view text, std::size_t longest);

// The line of the text in which the position is, and a line with a caret below the position. Both printable;
// of a long line only what is around the position. Nothing for a position beyond the text.
std::vector<std::string> show_source(std::string_view text, const YamlPosition& position);

}  // namespace whawty
