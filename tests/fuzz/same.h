// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// When two messages say the same, member by member: an encoder that forgot one would not show in its output.
// Kinds that say nothing but themselves have no members.
#pragma once

#include <type_traits>
#include <variant>

#include "protocol/actuator_to_matcher.h"
#include "protocol/matcher_to_actuator.h"
#include "protocol/matcher_to_scanner.h"
#include "protocol/matcher_to_supervisor.h"
#include "protocol/scanner_to_matcher.h"
#include "protocol/supervisor_to_matcher.h"

namespace whawty::fuzz {

template <class Kind>
bool same(const Kind& a, const Kind& b) {
  if constexpr (std::is_empty_v<Kind>) {
    return true;
  } else {
    return a == b;
  }
}

template <class... Kinds>
bool same(const std::variant<Kinds...>& a, const std::variant<Kinds...>& b) {
  return a.index() == b.index() &&
         std::visit([&](const auto& kind) { return same(kind, std::get<std::decay_t<decltype(kind)>>(b)); },
                    a);
}

inline bool same(const Request& a, const Request& b) {
  return a.id == b.id && same(a.what, b.what);
}

}  // namespace whawty::fuzz
