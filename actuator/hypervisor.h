// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the actuator needs of a hypervisor, and no more: libvirt in the product, a scripted one in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/domain.h"
#include "protocol/actuator_to_matcher.h"

namespace whawty {

// Why a call did nothing. A hypervisor's outcome is kFailed or kNoDomain.
struct CallError {
  Outcome outcome = Outcome::kFailed;
  std::int32_t code = 0;  // virErrorNumber
  std::string message;
};

// How a connection ends. Closed: by the gate, which says why.
enum class ConnectionEnd { kClosed, kSilent };

// What a hypervisor tells unasked, from a thread of its own. Implementations return at once.
class HypervisorEvents {
 public:
  virtual void domain_changed(const Uuid& domain, const std::string& name, DomainNews news) = 0;
  virtual void connection_lost(ConnectionEnd end) = 0;

 protected:
  ~HypervisorEvents() = default;
};

// An open connection. Calls may come from several threads at a time, and may take as long as a guest is
// stuck.
class Hypervisor {
 public:
  Hypervisor() = default;
  Hypervisor(const Hypervisor&) = delete;
  Hypervisor& operator=(const Hypervisor&) = delete;
  virtual ~Hypervisor() = default;

  // All domains, running or not.
  virtual std::variant<std::vector<DomainListed>, CallError> list() = 0;

  // The name that the domain has now.
  virtual std::variant<std::string, CallError> name(const Uuid& domain) = 0;

  // The XML of a domain: the live one, if it runs.
  virtual std::variant<std::string, CallError> describe(const Uuid& domain) = 0;

  // Changes the running domain only, never its persistent definition. The call returns when libvirt is done;
  // of a detach the guest may be later than that, which domain_changed tells. Mark and occasion become the
  // hostdev's alias.
  virtual std::variant<std::monostate, CallError> attach(const Uuid& domain, const Hostdev& hostdev,
                                                         std::uint64_t mark, std::uint64_t occasion) = 0;
  virtual std::variant<std::monostate, CallError> detach(const Uuid& domain, const Hostdev& hostdev) = 0;
};

// Opens the connection, and has its events told from then on; they outlive it. Each thread that it starts
// begins with `restrict`; what that throws ends the process. An error is the reason in words.
std::variant<std::unique_ptr<Hypervisor>, std::string> open_hypervisor(const std::string& uri,
                                                                       HypervisorEvents& events,
                                                                       const std::function<void()>& restrict);

}  // namespace whawty
