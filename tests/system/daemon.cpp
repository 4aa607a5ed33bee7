// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "daemon.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "common/identity.h"

namespace whawty::fake {
namespace {

// In a user namespace of its own the test is root with no other user to become.
void lose_privileges() {
  constexpr uid_t kNobody = 65534;
  try {
    become({kNobody, kNobody, {}});
  } catch (const std::system_error&) {
    keep_capabilities(0);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  }
}

}  // namespace

Daemon::Daemon(const std::string& program) : Process(program, Log::kFile) {
  before_exec = [this] {
    if (terminal >= 0) ::dup2(terminal, STDERR_FILENO);
    if (!privileged) lose_privileges();
  };
}

Daemon::~Daemon() {
  signal(SIGTERM);
  wait();
}

pid_t Daemon::worker(const std::string& name) const {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::filesystem::path status = entry.path() / "status";
    if (rest_of_line(status, "PPid:\t") == std::to_string(pid()) && rest_of_line(status, "Name:\t") == name)
      return std::stoi(entry.path().filename());
  }
  return 0;
}

std::string Daemon::status(const std::string& line, const std::string& worker_name) const {
  return status_of(worker_name.empty() ? pid() : worker(worker_name), line);
}

}  // namespace whawty::fake
