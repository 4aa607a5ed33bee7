// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What workers and libvirt's event loop have to say to the matcher, on its way to the main thread.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "actuator/hypervisor.h"
#include "common/fd.h"

namespace whawty {

// Any thread puts; one thread waits for fd() to be readable and takes.
class Outbox final : public HypervisorEvents {
 public:
  Outbox();

  void put(ActuatorMessage message);

  // A domain that changes often before the matcher hears of it is told once, so that events never fill the
  // memory.
  void domain_changed(const Uuid& domain, const std::string& name, DomainNews news) override;
  void connection_lost(const std::string& reason) override;

  // The oldest message, if there is one.
  std::optional<ActuatorMessage> take();

  // Why the connection was lost, if it was.
  std::optional<std::string> lost();

  int fd() const { return wake_.get(); }
  void clear_wake() const;

 private:
  void wake() const;

  Fd wake_;
  std::mutex mutex_;
  std::deque<ActuatorMessage> messages_;
  std::map<Uuid, DomainChanged> changed_;
  std::optional<std::string> lost_;
};

}  // namespace whawty
