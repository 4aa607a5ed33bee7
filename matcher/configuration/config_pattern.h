// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The regular expression of a condition, compiled.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>

namespace whawty {

// Patterns are UTF-8, as in the original. A device's value need not be: match.cpp sees to that. Ask ok() of
// the result.
std::shared_ptr<const RE2> compile_pattern(std::string_view pattern);

// The pattern with each (?<name> written as (?P<name>. Go has taken both since 1.22, RE2 since 2023.
std::string with_portable_group_names(std::string_view pattern);

}  // namespace whawty
