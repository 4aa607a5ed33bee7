// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Whether a process is alive: the same question on every channel that leads away from the supervisor, and the
// same answer on every one that leads back, but that of the actuator, where a result ends each request.
//
// A process that waits for something to happen does not begin to hang there. So the supervisor asks seldom,
// and soon after a worker has said that it woke.
#pragma once

#include <utility>

namespace whawty {

struct Ping {};
struct Pong {};
struct Awake {};  // the sender woke by itself, for the first time since it was last asked

// When a worker says that it is awake. It answers a ping when all else is done, just before it waits.
class Wakes {
 public:
  // A ping came. Until it is answered, the supervisor counts the time anyway.
  void asked() {
    asked_ = true;
    stirred_ = false;
  }

  // It woke, and not for what the supervisor, or the matcher for it, had to say. True if that is to be told
  // before anything is done.
  bool woke() { return !asked_ && !std::exchange(told_, true); }

  // It has set another worker to work, or heard that one woke, which may have been after its answer.
  void stirred() { stirred_ = true; }

  // The answer goes out. True if it is to be told at once that one of those may be at work.
  bool answered() {
    asked_ = false;
    told_ = std::exchange(stirred_, false);
    return told_;
  }

 private:
  bool asked_ = false;
  bool told_ = false;     // since the last answer
  bool stirred_ = false;  // since it was asked
};

}  // namespace whawty
