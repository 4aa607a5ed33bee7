// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What `explain` shows: for each device and machine which rule matches, or why none does, and who gets the
// device. What the plan says is taken from the plan; nothing is decided here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "matcher/decided/match.h"
#include "matcher/decided/plan.h"
#include "tool/json.h"
#include "tool/text_layout.h"

namespace whawty {

// What becomes of a device for one machine.
enum class Answer {
  kNoRule,         // none matches
  kHas,            // it keeps the device
  kLoses,          // it has the device, and is to lose it
  kGets,           // it is attached now
  kStays,          // another domain has it, or gets it first
  kHostUses,       // the host is using it
  kNotAuthorized,  // by the host
  kNoDevice,       // a hub, or without a vendor id: no guest can have it
  kSilent,         // it does not answer
  kNotRunning,     // the machine
  kNotSettled,     // libvirt does not tell what the machine has
  kLater,          // when what is to be detached first is gone
};

struct MachineVerdict {
  std::size_t machine = 0;  // its place in the configuration
  Answer answer = Answer::kNoRule;
  std::optional<std::size_t> rule{};      // that gives it the device, else the first that matches
  std::optional<DetachReason> lost_by{};  // of kLoses
  std::string holder{};                   // of kStays
  std::vector<HostUse> uses{};            // of kHostUses
  std::vector<Condition> unmet{};         // the first of each rule, if none matches
};

struct Explanation {
  const Device* device = nullptr;
  std::string holder;  // the domain that has it now, machine or not; empty: none
  std::vector<MachineVerdict> machines;
};

// What becomes of the devices that are asked for, as the plan for all devices has it.
std::vector<Explanation> explain(const std::vector<const Device*>& asked, const DeviceMap& devices,
                                 const std::vector<DomainView>& domains, const Rulebook& rules);

std::string explanation_text(const std::vector<Explanation>& all, const Rulebook& rules, const Style& style);
Json explanation_json(const std::vector<Explanation>& all, const Rulebook& rules);

}  // namespace whawty
