// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
// A Hypervisor that is there at once and has no domains: the actuator without libvirt.
#include "actuator/hypervisor.h"

namespace whawty {
namespace {

class IdleHypervisor : public Hypervisor {
 public:
  std::variant<std::vector<DomainListed>, CallError> list() override { return std::vector<DomainListed>{}; }
  std::variant<std::string, CallError> name(const Uuid&) override { return CallError{}; }
  std::variant<std::string, CallError> describe(const Uuid&) override { return CallError{}; }
  std::variant<std::monostate, CallError> attach(const Uuid&, const Hostdev&, std::uint64_t) override {
    return CallError{};
  }
  std::variant<std::monostate, CallError> detach(const Uuid&, const Hostdev&) override { return CallError{}; }
};

}  // namespace

std::variant<std::unique_ptr<Hypervisor>, std::string> open_hypervisor(const std::string&, HypervisorEvents&,
                                                                       const std::function<void()>&) {
  return std::make_unique<IdleHypervisor>();
}

}  // namespace whawty
