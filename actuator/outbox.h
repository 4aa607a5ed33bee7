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
#include <vector>

#include "actuator/hypervisor.h"
#include "common/fd.h"

namespace whawty {

// Any thread puts; one thread takes, and waits when there is nothing. It is woken only while it waits, since
// each wake takes it and the other thread system calls.
class Outbox final : public HypervisorEvents {
 public:
  Outbox();

  void put(ActuatorMessage message);

  // The answer to a request, which nothing comes between.
  void put(std::vector<ActuatorMessage> messages);

  // A domain that changes often before the matcher hears of it is told once, so that events never fill the
  // memory.
  void domain_changed(const Uuid& domain, const std::string& name, DomainNews news) override;
  void connection_lost(ConnectionEnd end) override;

  // The oldest message, if there is one.
  std::optional<ActuatorMessage> take();

  // How the connection was lost, if it was.
  std::optional<ConnectionEnd> lost();

  // The reader is about to wait for fd() to be readable: the next put makes it so. False if there is
  // something to take.
  bool begin_wait();

  // It has waited. Woken: fd() is readable.
  void end_wait(bool woken);

  int fd() const { return wake_.get(); }

 private:
  template <class Put>
  void put_and_wake(Put put);
  void wake() const;

  Fd wake_;
  std::mutex mutex_;
  bool waiting_ = false;  // and not yet woken
  std::deque<ActuatorMessage> messages_;
  std::map<Uuid, DomainChanged> changed_;
  std::optional<ConnectionEnd> lost_;
};

}  // namespace whawty
