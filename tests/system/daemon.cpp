// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "daemon.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/identity.h"
#include "common/text.h"
#include "tests/eventually.h"

namespace whawty::fake {
namespace {

constexpr uid_t kNobody = 65534;

// In a user namespace of its own the test is root with no other user to become.
bool can_be_nobody() {
  return ::setresuid(kNobody, kNobody, kNobody) == 0;
}

void lose_privileges() {
  const bool dropped =
      ::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 && can_be_nobody();
  if (dropped) return;
  keep_capabilities(0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

std::string field(const std::filesystem::path& status, const std::string& name) {
  std::ifstream file(status);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  return "";
}

}  // namespace

Daemon::~Daemon() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGTERM);
  wait();
}

std::string Daemon::journal_stream() const {
  std::ofstream(log_, std::ios::app).close();
  struct stat status = {};
  ::stat(log_.c_str(), &status);
  return concat(status.st_dev, ':', status.st_ino);
}

void Daemon::start(const std::vector<std::string>& arguments) {
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ != 0) return;
  try {
    execute(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "starting the daemon: %s\n", error.what());
  }
  ::_exit(127);
}

void Daemon::execute(const std::vector<std::string>& arguments) const {
  const int log = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(terminal < 0 ? log : terminal, STDERR_FILENO);
  if (!privileged) lose_privileges();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<std::string> strings{program_};
  strings.insert(strings.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(name + '=' + value);
  ::execve(program_.c_str(), pointers(strings).data(), pointers(variables).data());
  std::perror(program_.c_str());
  ::_exit(127);
}

void Daemon::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

int Daemon::wait() {
  int status = 0;
  if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) != 0; })) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

pid_t Daemon::worker(const std::string& name) const {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::filesystem::path status = entry.path() / "status";
    if (field(status, "PPid") == std::to_string(pid_) && field(status, "Name") == name)
      return std::stoi(entry.path().filename());
  }
  return 0;
}

std::string Daemon::status(const std::string& line, const std::string& worker_name) const {
  const pid_t pid = worker_name.empty() ? pid_ : worker(worker_name);
  return field("/proc/" + std::to_string(pid) + "/status", line);
}

std::string Daemon::log() const {
  std::ostringstream text;
  text << std::ifstream(log_).rdbuf();
  return text.str();
}

int Daemon::lines_with(const std::string& text) const {
  std::istringstream lines(log());
  int count = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.find(text) != std::string::npos) ++count;
  return count;
}

bool Daemon::logs(const std::string& text) const {
  return eventually([&] { return lines_with(text) > 0; });
}

}  // namespace whawty::fake
