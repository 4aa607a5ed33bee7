// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/readers.h"

#include <malloc.h>

#include <algorithm>
#include <utility>

#include "common/bounds.h"
#include "common/port_path.h"
#include "scanner/udev.h"

namespace whawty {
namespace {

bool is_root_hub(const std::string& sysname) {
  return sysname.starts_with("usb");
}

bool is_at_or_behind(const std::string& port, const std::string& sysname) {
  return sysname == port || sysname.starts_with(port + '.');
}

}  // namespace

Readers::Readers(Read read, Clock::duration patience) : read_(std::move(read)), patience_(patience) {
  ::mallopt(M_ARENA_MAX, 1);
  for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { work(); });
  started_.wait();
}

Readers::~Readers() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  asked_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::optional<Reading> Readers::read(const std::string& sysname, const std::vector<HostUse>& uses) {
  std::future<Reading> answer;
  {
    const std::lock_guard lock(mutex_);
    if (silent_.contains(sysname)) return std::nullopt;
    if (!has_thread_for(sysname)) {
      if (missed_.size() < kMaxDevices) missed_.insert(sysname);
      return std::nullopt;
    }
    Question question{sysname, std::packaged_task<Reading(udev*)>(
                                   [this, sysname, uses](udev* udev) { return read_(udev, sysname, uses); })};
    answer = question.task.get_future();
    questions_.push_back(std::move(question));
  }
  asked_.notify_one();
  const auto since = Clock::now();
  const bool in_time =
      answer.wait_for(slowness_ < kPatienceInTurn ? patience_ : kSlow) == std::future_status::ready;
  if (const auto took = Clock::now() - since; took > kSlow) slowness_ += took;
  if (in_time) return answer.get();
  const std::lock_guard lock(mutex_);
  if (answer.wait_for(Clock::duration::zero()) == std::future_status::ready) return answer.get();
  silent_[sysname] = {since};
  return std::nullopt;
}

// With the mutex held.
bool Readers::has_thread_for(const std::string& sysname) const {
  const auto waiting = [this](const auto& belongs) {
    return static_cast<std::size_t>(std::count_if(silent_.begin(), silent_.end(),
                                                  [&](const auto& silent) { return belongs(silent.first); }));
  };
  if (silent_.size() >= kThreads) return false;
  if (is_root_hub(sysname)) return waiting(is_root_hub) < kOfRootHubs;
  std::size_t room = kOfPortOfHost;
  for (const std::string& port : ports_on_the_way_to(sysname)) {
    if (waiting([&](const std::string& name) { return is_at_or_behind(port, name); }) >= room) return false;
    room = kOfPortOfHub;
  }
  return true;
}

bool Readers::waits() const {
  const std::lock_guard lock(mutex_);
  return !silent_.empty() || !late_.empty();
}

std::set<std::string> Readers::take_late() {
  const std::lock_guard lock(mutex_);
  return std::exchange(late_, {});
}

std::vector<std::string> Readers::take_silent(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (auto& [sysname, silence] : silent_)
    if (now - silence.since >= kSilentAfter && !std::exchange(silence.taken, true)) names.push_back(sysname);
  return names;
}

void Readers::work() {
  const Udev udev{udev_new()};
  std::unique_lock lock(mutex_);
  started_.count_down();
  for (;;) {
    asked_.wait(lock, [this] { return stop_ || !questions_.empty(); });
    if (stop_) return;
    Question question = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    question.task(udev.get());
    lock.lock();
    if (silent_.erase(question.sysname) == 0) continue;
    late_.insert(question.sysname);
    late_.merge(missed_);
  }
}

}  // namespace whawty
