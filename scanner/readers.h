// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Reads devices on threads of their own. The kernel does not tell a device's variables and serial number
// while one of its drivers starts or ends, which the device can draw out at will, and whoever asks cannot be
// interrupted. None may keep the scanner from the others.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <latch>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "protocol/device.h"
#include "scanner/device_reader.h"

namespace whawty {

class Readers {
 public:
  using Clock = std::chrono::steady_clock;
  using Read = std::function<Reading(udev*, const std::string& sysname, const std::vector<HostUse>& uses)>;

  static constexpr std::size_t kThreads = 8;
  // Of these, so many may wait for devices of one place. A hub of both sides, USB 2 and 3, is at two ports of
  // the host, and has the two root hubs wait, too: it leaves a thread to the others, and the ports of a hub
  // on the host's board, which may wait itself, leave one to each other.
  static constexpr std::size_t kOfRootHubs = 1;    // all of them together
  static constexpr std::size_t kOfPortOfHost = 3;  // at and behind one port of the host's own hubs
  static constexpr std::size_t kOfPortOfHub = 1;   // at and behind one of any other hub
  static constexpr Clock::duration kPatience = std::chrono::milliseconds(250);  // for one device
  static constexpr Clock::duration kPatienceInTurn = std::chrono::seconds(5);   // for all that are slow
  static constexpr Clock::duration kSlow = std::chrono::milliseconds(20);
  static constexpr Clock::duration kSilentAfter = std::chrono::seconds(3);

  // Starts the threads, and returns when they run: the start of a thread takes system calls that a sealed
  // process does not have. Of what they then do, all memory comes from one arena, for the same reason.
  explicit Readers(Read read = read_device, Clock::duration patience = kPatience);
  ~Readers();  // waits for all devices
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // What the device is now. Nothing when it does not answer in time, has not answered an earlier question, or
  // when as many threads as may wait for devices of its place. Throws what the function throws.
  std::optional<Reading> read(const std::string& sysname, const std::vector<HostUse>& uses);

  // What comes next is done without anything else in between: slow devices share kPatienceInTurn. When that
  // is used up, slow is too slow.
  void begin_turn() { slowness_ = {}; }

  // Whether take_late() has something to say, or will have.
  bool waits() const;

  // The devices that read() gave nothing for and that can be asked now, since the last call.
  std::set<std::string> take_late();

  // Those that have not answered for kSilentAfter, each once.
  std::vector<std::string> take_silent(Clock::time_point now);

 private:
  struct Question {
    std::string sysname;
    std::packaged_task<Reading(udev*)> task;
  };
  struct Silence {
    Clock::time_point since;
    bool taken = false;
  };

  bool has_thread_for(const std::string& sysname) const;
  void work();

  const Read read_;
  const Clock::duration patience_;
  Clock::duration slowness_{};  // in this turn
  mutable std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<Question> questions_;
  std::map<std::string, Silence> silent_;  // by sysfs name: asked, and not waited for any longer
  std::set<std::string> missed_;           // there was no thread for these; at most kMaxDevices
  std::set<std::string> late_;
  bool stop_ = false;
  std::latch started_{kThreads};
  std::vector<std::thread> threads_;
};

}  // namespace whawty
