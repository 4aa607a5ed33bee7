// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the plan comes to where nothing is done: one change makes room for the next, which the plan asks for
// only then.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "matcher/decided/plan.h"

namespace whawty {

// The domains as they are when that is done.
void carry_out(const Plan& plan, const DeviceMap& devices, std::vector<DomainView>& domains);

// All changes that would be made one after the other if each of them worked, in that order but for detaches,
// which are named first. All else is as it would be after them. What a driver of the host has taken back is
// left out.
Plan foresee(const DeviceMap& devices, std::vector<DomainView> domains, const Rulebook& rules,
             const std::set<std::string>& put_aside = {});

}  // namespace whawty
