// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What must change for every machine to have its devices: a pure function of what is. The product's meaning
// is here.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "matcher/decided/rulebook.h"
#include "matcher/known/facts.h"

namespace whawty {

enum class DetachReason { kLeftHost, kNoRule, kHub, kNotAuthorized, kTakenBack, kMissing };

struct Detach {
  Uuid domain;
  Hostdev hostdev;      // as the live XML has it
  std::string sysname;  // of the device, unless it left the host
  DetachReason reason = DetachReason::kLeftHost;
};

struct Attach {
  Uuid domain;
  std::string sysname;
  std::size_t rule = 0;  // of the machine: the first that gives it the device
};

// A machine's rule matches a device that another domain has, or gets.
struct Conflict {
  std::string sysname;
  std::string machine;
  std::size_t rule = 0;
  std::string holder;
  auto operator<=>(const Conflict&) const = default;
};

// A machine's rule matches a device that nobody has, but the host itself is using, or has not authorized.
struct Refusal {
  std::string sysname;
  std::string machine;
  std::size_t rule = 0;
  std::vector<HostUse> uses;
  bool authorized = true;  // without it there are no uses
  auto operator<=>(const Refusal&) const = default;
};

// A domain has a device by a hostdev of ours, and a driver of the host has it as well.
struct Contested {
  std::string sysname;
  bool settled = true;  // the domain
};

// A hostdev of a machine that leads to no device of the host, though it is kept, or is ours and libvirt marks
// it as missing.
struct Empty {
  std::string machine;
  LiveHostdev hostdev;
  bool kept = false;  // else it is detached
  auto operator<=>(const Empty&) const = default;
};

struct Plan {
  std::vector<Detach> detaches;  // to be done before the attaches
  std::vector<Attach> attaches;
  std::vector<Conflict> conflicts;
  std::vector<Refusal> refusals;
  std::vector<Contested> contested;
  std::vector<Empty> empties;
  std::vector<std::string> unwanted;  // sysnames of devices that could go to a guest, and no rule matches
};

// Whether a guest can have such a device at all: no hub, and nothing that libvirt has no way to name.
bool can_be_attached(const Device& device);

// The rules of the plan:
//  1. A machine's devices are those that match one of its rules. What it has beyond them is detached; what it
//     lacks is attached.
//  2. Whoever has a device keeps it as long as a rule of its own gives it the device, or for good if it is no
//     machine of the configuration. Among several that lack a device, the first in the configuration gets it.
//  3. What the host is using goes only where a rule allows that, and stays where it is once a guest has it.
//     Of the keyboards of a local console the last one counts as used.
//  4. What the host has not authorized goes nowhere, and does not stay: libvirt and QEMU do not ask.
//  5. A machine with keep_foreign keeps every hostdev that is not ours.
//  6. Nothing is planned for domains that are not settled, or not in the configuration.
//  7. A device without a digest stays where it is: the kernel does not tell what it is.
//  8. A device that is put aside, by sysname, is not attached; what became wrong of it is detached all the
//     same. One that is put aside for a domain goes where it would if that did not run.
//  9. A device that is taken back is detached if a driver of the host still has it, so that the next plan
//     attaches it anew.
// 10. A domain that is to lose a hostdev without a device gets no device before that is done: QEMU could take
//     it for that hostdev.
//
// It takes time in proportion to devices, domains, hostdevs and what it finds. Rules take none, but for those
// that a device may match and that were not compared with it before.
Plan plan(const DeviceMap& devices, const std::vector<DomainView>& domains, const Rulebook& rules,
          const std::set<std::string>& put_aside = {}, const std::set<std::string>& taken_back = {});

// A domain has a device of the host.
struct Held {
  std::string sysname;
  Uuid domain;
  std::optional<DetachReason> lost_by{};  // why it is to lose it, if it is
};

// Who has what, in the order of the domains, as the plan sees it.
std::vector<Held> holdings(const DeviceMap& devices, const std::vector<DomainView>& domains,
                           const Rulebook& rules);

}  // namespace whawty
