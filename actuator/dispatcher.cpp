// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/dispatcher.h"

namespace whawty {

Dispatcher::Dispatcher(std::size_t threads, Clock::duration stall_limit)
    : stall_limit_(stall_limit), started_(static_cast<std::ptrdiff_t>(threads)) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  started_.wait();
}

Dispatcher::~Dispatcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  ready_changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Dispatcher::submit(const Uuid& domain, Job job) {
  {
    const std::lock_guard lock(mutex_);
    Queue& queue = queues_[domain];
    if (!queue.stalled) {
      queue.waiting.push_back(std::move(job));
      if (!queue.running && queue.waiting.size() == 1) ready_.push_back(domain);
      ready_changed_.notify_one();
      return;
    }
  }
  job.refuse();
}

void Dispatcher::find_stalled(const std::function<void(const Uuid&)>& tell) {
  std::deque<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [domain, queue] : queues_) {
      if (!queue.running || queue.stalled || Clock::now() - queue.started < stall_limit_) continue;
      queue.stalled = true;
      tell(domain);
      for (Job& job : queue.waiting) refused.push_back(std::move(job));
      queue.waiting.clear();
    }
  }
  for (const Job& job : refused) job.refuse();
}

bool Dispatcher::busy() {
  const std::lock_guard lock(mutex_);
  return !queues_.empty();
}

void Dispatcher::work() {
  started_.count_down();
  std::unique_lock lock(mutex_);
  while (true) {
    ready_changed_.wait(lock, [this] { return stop_ || !ready_.empty(); });
    if (stop_) return;
    const Uuid domain = ready_.front();
    ready_.pop_front();
    // A reference into a map stays valid while other entries come and go; this one stays as long as it runs.
    Queue& queue = queues_.at(domain);
    const Job job = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    queue.running = true;
    queue.started = Clock::now();
    lock.unlock();
    const std::function<void()> tell_end = job.run();
    lock.lock();
    queue.running = queue.stalled = false;
    tell_end();
    if (queue.waiting.empty()) {
      queues_.erase(domain);
    } else {
      ready_.push_back(domain);
      ready_changed_.notify_one();
    }
  }
}

}  // namespace whawty
