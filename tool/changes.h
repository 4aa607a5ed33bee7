// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What `plan` shows: what would be attached and detached, and what a change of the configuration would move.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "matcher/decided/plan.h"
#include "tool/json.h"
#include "tool/text_layout.h"

namespace whawty {

std::string plan_text(const Plan& plan, const DeviceMap& devices, const std::vector<DomainView>& domains,
                      const Rulebook& rules, const Style& style);
Json plan_json(const Plan& plan, const DeviceMap& devices, const std::vector<DomainView>& domains,
               const Rulebook& rules);

// A device that another guest has afterwards.
struct Move {
  std::string sysname;
  std::string from, to;  // guests; empty: none
  bool operator==(const Move&) const = default;
};

// What another configuration would move, if all is as the first one asks for. Of machines that do not run, or
// that libvirt does not describe, nobody can tell.
struct Comparison {
  std::vector<Move> moves;
  std::vector<std::string> not_running, not_described;  // machines of either configuration
};

Comparison compare(const DeviceMap& devices, const std::vector<DomainView>& domains, const Rulebook& before,
                   const Rulebook& after);

std::string comparison_text(const Comparison& comparison, const DeviceMap& devices, const Style& style);
Json comparison_json(const Comparison& comparison, const DeviceMap& devices);

}  // namespace whawty
