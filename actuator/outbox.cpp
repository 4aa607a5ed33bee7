// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/outbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

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

template <class Put>
void Outbox::put_and_wake(Put put) {
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    put();
    waits = std::exchange(waiting_, false);
  }
  if (waits) wake();
}

void Outbox::put(ActuatorMessage message) {
  put_and_wake([&] { messages_.push_back(std::move(message)); });
}

void Outbox::put(std::vector<ActuatorMessage> messages) {
  put_and_wake([&] { std::move(messages.begin(), messages.end(), std::back_inserter(messages_)); });
}

void Outbox::domain_changed(const Uuid& domain, const std::string& name, DomainNews news) {
  // No domain of the configuration can have a name that a message does not hold.
  if (name.empty() || name.size() > kMaxDomainName) return;
  put_and_wake([&] {
    DomainChanged& changed = changed_[domain];
    changed = {domain, name, {changed.news.let_go || news.let_go, changed.news.died || news.died}};
  });
}

void Outbox::connection_lost(ConnectionEnd end) {
  put_and_wake([&] { lost_ = end; });
}

bool Outbox::begin_wait() {
  const std::lock_guard lock(mutex_);
  waiting_ = true;
  return messages_.empty() && changed_.empty() && !lost_;
}

void Outbox::end_wait(bool woken) {
  {
    const std::lock_guard lock(mutex_);
    waiting_ = false;
  }
  if (!woken) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t length = ::read(wake_.get(), &count, sizeof count);
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

std::optional<ConnectionEnd> Outbox::lost() {
  const std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace whawty
