// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/outbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "common/bounds.h"

namespace whawty {

Outbox::Outbox() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Outbox::wake() const {
  const std::uint64_t one = 1;
  // It can only fail when the counter is full, and then the reader is awake.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void Outbox::clear_wake() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t length = ::read(wake_.get(), &count, sizeof count);
}

void Outbox::put(ActuatorMessage message) {
  {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
  }
  wake();
}

void Outbox::domain_changed(const Uuid& domain, const std::string& name, DomainNews news) {
  // No domain of the configuration can have a name that a message does not hold.
  if (name.empty() || name.size() > kMaxDomainName) return;
  {
    const std::lock_guard lock(mutex_);
    DomainChanged& changed = changed_[domain];
    changed = {domain, name, {changed.news.let_go || news.let_go, changed.news.died || news.died}};
  }
  wake();
}

void Outbox::connection_lost(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    lost_ = reason;
  }
  wake();
}

std::optional<ActuatorMessage> Outbox::take() {
  const std::lock_guard lock(mutex_);
  std::optional<ActuatorMessage> message;
  if (!messages_.empty()) {
    message = std::move(messages_.front());
    messages_.pop_front();
  } else if (!changed_.empty()) {
    message = std::move(changed_.begin()->second);
    changed_.erase(changed_.begin());
  }
  return message;
}

std::optional<std::string> Outbox::lost() {
  const std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace whawty
