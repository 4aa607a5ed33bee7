// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A hypervisor that does what the test says.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "actuator/hypervisor.h"

namespace whawty {

class FakeHypervisor final : public Hypervisor {
 public:
  using Change = std::function<std::variant<std::monostate, CallError>(const Uuid&, const Hostdev&)>;

  std::function<std::variant<std::vector<DomainListed>, CallError>()> on_list = [] {
    return std::vector<DomainListed>{};
  };
  std::function<std::variant<std::string, CallError>(const Uuid&)> on_describe = [](const Uuid&) {
    return std::string("<domain/>");
  };
  Change on_attach = [](const Uuid&, const Hostdev&) { return std::monostate{}; };
  Change on_detach = on_attach;
  std::atomic<std::uint64_t> last_occasion = 0;  // of an attach; several may come at a time

  std::variant<std::vector<DomainListed>, CallError> list() override { return on_list(); }
  std::variant<std::string, CallError> name(const Uuid&) override { return std::string("webcam-test"); }
  std::variant<std::string, CallError> describe(const Uuid& domain) override { return on_describe(domain); }
  std::variant<std::monostate, CallError> attach(const Uuid& domain, const Hostdev& hostdev, std::uint64_t,
                                                 std::uint64_t occasion) override {
    last_occasion = occasion;
    return on_attach(domain, hostdev);
  }
  std::variant<std::monostate, CallError> detach(const Uuid& domain, const Hostdev& hostdev) override {
    return on_detach(domain, hostdev);
  }
};

}  // namespace whawty
