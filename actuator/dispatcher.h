// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Runs the calls of one domain in order and of several domains side by side, on a fixed number of threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "protocol/domain.h"

namespace whawty {

class Dispatcher {
 public:
  using Clock = std::chrono::steady_clock;

  // A call for a domain. It runs on a worker, or is told that it will not: an earlier call of its domain is
  // stuck.
  struct Job {
    std::function<void()> run;
    std::function<void()> refuse;
  };

  // Starts the threads. A call that has not returned after the limit counts as stuck.
  Dispatcher(std::size_t threads, Clock::duration stall_limit);
  ~Dispatcher();  // waits for calls that run; those that have not begun are dropped
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  void submit(const Uuid& domain, Job job);

  // Refuses the waiting calls of each domain whose call became stuck since the last look, and names these
  // domains.
  std::vector<Uuid> find_stalled();

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
  std::map<Uuid, Queue> queues_;  // of the domains with a call that runs or waits
  std::deque<Uuid> ready_;        // of these, the ones with a waiting call and none that runs
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace whawty
