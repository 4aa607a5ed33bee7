// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Runs the calls of one domain in order and of several domains side by side, on a fixed number of threads.
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

#include "protocol/domain.h"

namespace whawty {

class Dispatcher {
 public:
  using Clock = std::chrono::steady_clock;

  // A call for a domain. It runs on a worker, or is told that it will not: an earlier call of its domain is
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

  void submit(const Uuid& domain, Job job);

  // Tells of each domain whose call became stuck since the last look, always before the end of that call is
  // told, and refuses the calls that wait for it.
  void find_stalled(const std::function<void(const Uuid&)>& tell);

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
  std::latch started_;
  std::vector<std::thread> threads_;
};

}  // namespace whawty
