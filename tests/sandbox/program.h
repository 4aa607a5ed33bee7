// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// One of the four programs, run by itself, on a kernel that may refuse some calls.
#pragma once

#include <seccomp.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "common/fd.h"

namespace whawty {

// A call that fails with this error if all conditions hold.
struct Refusal {
  int call;
  std::vector<scmp_arg_cmp> when = {};
  int error = EPERM;
};

// Other than equals() of the product's tables, the names of these are the test's: what the call is refused
// at.
constexpr scmp_arg_cmp is(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
constexpr scmp_arg_cmp is_not(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_NE, value, 0};
}

class Program {
 public:
  struct Settings {
    std::vector<std::string> arguments = {};    // without the program's name
    std::vector<std::string> environment = {};  // NAME=VALUE, and nothing else
    std::vector<int> descriptors = {};          // placed from kFirstPassed on
    std::vector<Refusal> refusals = {};
    bool privileged = true;  // otherwise it is started without any capability
  };

  // Starts it, with the log in a pipe.
  Program(const std::string& file, const Settings& settings);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;

  // The line that begins with this of that file in /proc/PID. Throws std::runtime_error: there is none.
  std::string proc(const std::string& file, const std::string& line) const;

  // Waits until it has loaded a seccomp filter of its own, if it was started without refusals; false if that
  // takes ten seconds.
  bool is_sealed() const;

  // Waits until it has logged this; false if that takes ten seconds.
  bool logs(const std::string& text);

  // Its exit code, or the negative number of the signal that killed it; after ten seconds that is SIGKILL.
  int wait();

  // All lines that it has logged so far, without the time.
  std::vector<std::string> lines();

 private:
  [[noreturn]] static void execute(const std::string& file, const Settings& settings, int log);
  void read_log();

  pid_t pid_ = -1;
  Fd log_;
  std::string text_;
};

}  // namespace whawty
