// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "common/descriptors.h"
#include "common/identity.h"
#include "tests/eventually.h"

namespace whawty {
namespace {

std::string line_of(const std::string& file, const std::string& start) {
  std::ifstream content(file);
  for (std::string line; std::getline(content, line);)
    if (line.starts_with(start)) return line;
  throw std::runtime_error(file + ": no line " + start);
}

void refuse(const std::vector<Refusal>& refusals) {
  if (refusals.empty()) return;
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  for (const Refusal& refusal : refusals)
    if (seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(refusal.error)),
                               refusal.call, static_cast<unsigned>(refusal.when.size()),
                               refusal.when.data()) != 0)
      throw std::runtime_error("a refusal that cannot be");
  if (seccomp_load(filter) != 0) throw std::runtime_error("loading the refusals");
  seccomp_release(filter);
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Program::Program(const std::string& file, const Settings& settings) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  log_ = Fd(ends[0]);
  const Fd theirs(ends[1]);
  ::fcntl(log_.get(), F_SETFL, O_NONBLOCK);
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ != 0) return;
  try {
    execute(file, settings, theirs.get());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", file.c_str(), error.what());
  }
  ::_exit(127);
}

void Program::execute(const std::string& file, const Settings& settings, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<int> high;
  for (const int descriptor : settings.descriptors)
    high.push_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, kAbovePassed));
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  int next = kFirstPassed;
  for (const int descriptor : high) ::dup2(descriptor, next++);
  // With no_new_privs, root does not get them back at exec.
  if (!settings.privileged) keep_capabilities(0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  refuse(settings.refusals);
  std::vector<std::string> strings{file};
  strings.insert(strings.end(), settings.arguments.begin(), settings.arguments.end());
  std::vector<std::string> environment = settings.environment;
  ::execve(file.c_str(), pointers(strings).data(), pointers(environment).data());
  throw std::system_error(errno, std::generic_category(), "execve");
}

Program::~Program() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Program::signal(int number) const {
  ::kill(pid_, number);
}

std::string Program::proc(const std::string& file, const std::string& start) const {
  return line_of("/proc/" + std::to_string(pid_) + '/' + file, start);
}

bool Program::is_sealed() const {
  const auto filters = [](const std::string& file) {
    constexpr const char* kName = "Seccomp_filters:";
    return std::atoi(line_of(file, kName).substr(std::strlen(kName)).c_str());
  };
  // It has those that the test has, and its own.
  const int inherited = filters("/proc/self/status");
  return eventually([&] { return filters("/proc/" + std::to_string(pid_) + "/status") == inherited + 1; });
}

bool Program::logs(const std::string& text) {
  return eventually([&] {
    read_log();
    return text_.find(text) != std::string::npos;
  });
}

int Program::wait() {
  int status = 0;
  if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) != 0; })) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void Program::read_log() {
  char part[4096];
  for (ssize_t length = 0; (length = ::read(log_.get(), part, sizeof part)) > 0;)
    text_.append(part, static_cast<std::size_t>(length));
}

std::vector<std::string> Program::lines() {
  read_log();
  constexpr std::size_t kTime = sizeof "00:00:00 " - 1;
  std::istringstream text(text_);
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);)
    lines.push_back(line.size() > kTime ? line.substr(kTime) : line);
  return lines;
}

}  // namespace whawty
