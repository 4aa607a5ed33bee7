// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The daemon as a user runs it: a process with a command line, an environment, a log and an exit code.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "common/fd.h"

namespace whawty::fake {

class Daemon {
 public:
  // The program, and the file that its log goes to.
  Daemon(std::string program, std::string log) : program_(std::move(program)), log_(std::move(log)) {}
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  std::map<std::string, std::string> environment;

  // Keeps root's capabilities, as a service of systemd has them. Otherwise it is started without any, and if
  // the test runs as root, as the user nobody.
  bool privileged = false;

  int terminal = -1;  // its stderr, instead of the file

  // What systemd would say of the log in JOURNAL_STREAM.
  std::string journal_stream() const;

  void start(const std::vector<std::string>& arguments);
  void signal(int number) const;

  // Its exit code, or the negative number of the signal that killed it. It is killed if it does not end in
  // ten seconds.
  int wait();

  // The process of a worker, or 0.
  pid_t worker(const std::string& name) const;

  // A line of /proc/PID/status without its name: of a worker, or of the supervisor.
  std::string status(const std::string& line, const std::string& worker = "") const;

  // All that was logged so far, and the lines of it that hold a text.
  std::string log() const;
  int lines_with(const std::string& text) const;
  bool logs(const std::string& text) const;  // eventually

 private:
  [[noreturn]] void execute(const std::vector<std::string>& arguments) const;

  const std::string program_;
  const std::string log_;
  pid_t pid_ = 0;
};

}  // namespace whawty::fake
