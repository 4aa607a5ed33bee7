// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// One life of the four workers: started together, ended together.
#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

#include "protocol/channel.h"
#include "supervisor/command_lines.h"
#include "supervisor/workers.h"

namespace whawty {

class Generation {
 public:
  // Starts the workers, connected to each other. The programs must outlive it. Throws std::system_error.
  // The folder is gate_folder().
  Generation(const Programs& programs, const WorkerSettings& settings, const Fd& folder);

  // Kills and reaps those that are left.
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  struct End {
    bool unsealed = false;  // a worker could not seal itself
    std::string causes;  // the workers that ended of themselves with more to say than that a peer had ended
    std::vector<pid_t> left;  // killed, and still to be waited for
  };

  // Whether a worker has ended, and so the generation is over: kill() then. To be asked when SIGCHLD came.
  bool worker_ended();

  // Kills and reaps the workers, and says how those went that had ended before. One that is
  // about to end of itself is given a moment, up to 200 ms, as long as no other has said what happened.
  End kill();

  Channel& matcher() { return matcher_; }

  // The gate's heartbeat: datagrams of one byte, which it sends back.
  Channel& gate() { return gate_; }

 private:
  struct Sockets;
  struct Worker {
    const Program& program;
    pid_t pid = 0;  // also once reaped
  };

  Generation(const Programs& programs, const WorkerSettings& settings, Sockets sockets);
  static void reap(Worker& worker, bool killed, End& end);
  bool any_runs() const;
  void kill_rest();

  Channel matcher_;
  Channel gate_;
  std::array<Worker, 4> workers_;
  End end_;
};

}  // namespace whawty
