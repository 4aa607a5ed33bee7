// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Runs the calls of one key in order and of several keys side by side, on a fixed number of threads. A key
// names what a call can get stuck on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <latch>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace whawty {

template <class Key>
class Dispatcher {
 public:
  using Clock = std::chrono::steady_clock;

  // A call for a key. It runs on a worker, or is told that it will not: an earlier call of its key is
  // stuck. What run returns tells of the call's end, as soon as the call no longer counts as running.
  struct Job {
    std::function<std::function<void()>()> run;
    std::function<void()> refuse;
  };

  // Starts the threads, and returns when they run: the start of a thread takes system calls that a sealed
  // process does not have. A call that has not returned after the limit counts as stuck.
  Dispatcher(std::size_t threads, Clock::duration stall_limit);
  ~Dispatcher();  // waits for calls that run; those that have not begun are dropped
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  void submit(const Key& key, Job job);

  // Tells of each key whose call became stuck since the last look, always before the end of that call is
  // told, and refuses the calls that wait for it.
  void find_stalled(const std::function<void(const Key&)>& tell);

  // True while a call runs or waits: find_stalled should be called from time to time then.
  bool busy();

 private:
  struct Queue {
    std::deque<Job> waiting;
    Clock::time_point started;
    bool running = false;
    bool stalled = false;
  };

  void work();

  const Clock::duration stall_limit_;
  std::mutex mutex_;
  std::condition_variable ready_changed_;
  std::map<Key, Queue> queues_;  // of the keys with a call that runs or waits
  std::deque<Key> ready_;        // of these, the ones with a waiting call and none that runs
  bool stop_ = false;
  std::latch started_;
  std::vector<std::thread> threads_;
};

template <class Key>
Dispatcher<Key>::Dispatcher(std::size_t threads, Clock::duration stall_limit)
    : stall_limit_(stall_limit), started_(static_cast<std::ptrdiff_t>(threads)) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  started_.wait();
}

template <class Key>
Dispatcher<Key>::~Dispatcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  ready_changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

template <class Key>
void Dispatcher<Key>::submit(const Key& key, Job job) {
  {
    const std::lock_guard lock(mutex_);
    Queue& queue = queues_[key];
    if (!queue.stalled) {
      queue.waiting.push_back(std::move(job));
      if (!queue.running && queue.waiting.size() == 1) ready_.push_back(key);
      ready_changed_.notify_one();
      return;
    }
  }
  job.refuse();
}

template <class Key>
void Dispatcher<Key>::find_stalled(const std::function<void(const Key&)>& tell) {
  std::deque<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [key, queue] : queues_) {
      if (!queue.running || queue.stalled || Clock::now() - queue.started < stall_limit_) continue;
      queue.stalled = true;
      tell(key);
      for (Job& job : queue.waiting) refused.push_back(std::move(job));
      queue.waiting.clear();
    }
  }
  for (const Job& job : refused) job.refuse();
}

template <class Key>
bool Dispatcher<Key>::busy() {
  const std::lock_guard lock(mutex_);
  return !queues_.empty();
}

template <class Key>
void Dispatcher<Key>::work() {
  started_.count_down();
  std::unique_lock lock(mutex_);
  while (true) {
    ready_changed_.wait(lock, [this] { return stop_ || !ready_.empty(); });
    if (stop_) return;
    const Key key = ready_.front();
    ready_.pop_front();
    // A reference into a map stays valid while other entries come and go; this one stays as long as it runs.
    Queue& queue = queues_.at(key);
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
      queues_.erase(key);
    } else {
      ready_.push_back(key);
      ready_changed_.notify_one();
    }
  }
}

}  // namespace whawty
