// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The processes that a test starts: children that do a part of its work, and programs.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/fd.h"

namespace whawty {

// Starts a child that does this and ends, with what the work returns or with kThrew: it never goes on with
// the tests.
pid_t start_child(const std::function<int()>& work);
inline constexpr int kThrew = 199;  // neither an errno nor what exit(-1) ends with

// The same, and waits for its end: the exit code, or the negative number of the signal that killed it.
int in_child(const std::function<int()>& work);

// What follows in the file's first line that begins with this; nothing if there is none.
std::string rest_of_line(const std::filesystem::path& file, const std::string& begin);

// A line of /proc/PID/status without its name; nothing if there is none.
std::string status_of(pid_t process, const std::string& name);

// Waits until the process has a seccomp filter of its own, besides those that the test has; false if that
// takes ten seconds.
bool is_sealed(pid_t process);

// A program that is run by itself.
class Process {
 public:
  // Where its log goes: a pipe, as under systemd, or a file, which also takes what nobody reads.
  enum class Log { kPipe, kFile };

  explicit Process(std::string program, Log log = Log::kPipe);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // It is started with these, and with no other variables and descriptors.
  std::map<std::string, std::string> environment;
  std::vector<int> descriptors;               // placed from kFirstPassed on
  std::function<void()> before_exec = [] {};  // what it does before it becomes the program

  void start(const std::vector<std::string>& arguments = {});

  pid_t pid() const { return pid_; }
  bool runs() { return !ends(0); }
  void signal(int number) const;

  // A line of its /proc/PID/status without its name.
  std::string status(const std::string& name) const { return status_of(pid_, name); }

  // Waits for its end: the exit code, or the negative number of the signal that killed it. After ten seconds
  // that is SIGKILL.
  int wait();

  // What it took. After its end.
  const rusage& usage() const { return usage_; }

  // All that was logged so far, its lines, and how many of them hold a text.
  const std::string& log() const;
  std::vector<std::string> lines() const;
  int lines_with(const std::string& text) const;

  // Waits until it has logged this; false if that takes ten seconds.
  bool logs(const std::string& text) const;

  // What systemd would say of its log in JOURNAL_STREAM.
  std::string journal_stream() const;

 private:
  int execute(const std::vector<std::string>& arguments) const;
  bool ends(int milliseconds);

  const std::string program_;
  Fd log_, log_reader_;
  mutable std::string text_;  // what was read of the log
  pid_t pid_ = 0;             // while it runs
  int end_ = 0;
  rusage usage_ = {};
};

}  // namespace whawty
