// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/decided/foresight.h"

#include <algorithm>
#include <utility>

#include "common/hostdev_alias.h"

namespace whawty {
namespace {

// A detach, an attach in its place, and what is refused after that: more rounds than any world takes.
constexpr int kRounds = 8;

DomainView& view_of(const Uuid& uuid, std::vector<DomainView>& domains) {
  return *std::find_if(domains.begin(), domains.end(),
                       [&](const DomainView& one) { return one.uuid == uuid; });
}

}  // namespace

void carry_out(const Plan& plan, const DeviceMap& devices, std::vector<DomainView>& domains) {
  for (const Detach& detach : plan.detaches) {
    DomainView& domain = view_of(detach.domain, domains);
    std::erase_if(domain.hostdevs, [&](const Hostdev& one) { return one == detach.hostdev; });
    std::erase(domain.orphans, detach.hostdev);
  }
  for (const Attach& attach : plan.attaches) {
    const Device& device = devices.at(attach.sysname);
    view_of(attach.domain, domains)
        .hostdevs.push_back({hostdev_of(device), true, mark_of(device.digest.value())});
  }
}

Plan foresee(const DeviceMap& devices, std::vector<DomainView> domains, const Rulebook& rules,
             const std::set<std::string>& put_aside) {
  Plan all;
  for (int round = 0; round < kRounds; ++round) {
    Plan next = plan(devices, domains, rules, put_aside);
    const bool is_last = next.detaches.empty() && next.attaches.empty();
    carry_out(next, devices, domains);
    next.detaches.insert(next.detaches.begin(), all.detaches.begin(), all.detaches.end());
    next.attaches.insert(next.attaches.begin(), all.attaches.begin(), all.attaches.end());
    all = std::move(next);
    if (is_last) break;
  }
  return all;
}

}  // namespace whawty
