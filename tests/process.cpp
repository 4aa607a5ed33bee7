// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>
#include <tuple>
#include <utility>

#include "common/descriptors.h"
#include "common/text.h"
#include "tests/eventually.h"

namespace whawty {
namespace {

int end_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void check(bool done, const char* what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

// To write and to read. A file is opened once more, to be read from its begin.
std::pair<Fd, Fd> open_log(Process::Log kind) {
  if (kind == Process::Log::kPipe) {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC) == 0, "pipe");
    check(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0, "pipe");
    return {Fd(ends[1]), Fd(ends[0])};
  }
  Fd file(::memfd_create("log", MFD_CLOEXEC));
  check(file && ::fcntl(file.get(), F_SETFL, O_APPEND) == 0, "log");
  Fd reader(::open(concat("/proc/self/fd/", file.get()).c_str(), O_RDONLY | O_CLOEXEC));
  check(static_cast<bool>(reader), "log");
  return {std::move(file), std::move(reader)};
}

// At these numbers. They may be any before, also one of these.
void place(const std::vector<int>& descriptors) {
  std::vector<int> high;
  for (const int descriptor : descriptors) high.push_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, kAbovePassed));
  int next = kFirstPassed;
  for (const int descriptor : high) ::dup2(descriptor, next++);
  ::close_range(static_cast<unsigned>(next), ~0U, CLOSE_RANGE_CLOEXEC);
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

pid_t start_child(const std::function<int()>& work) {
  const pid_t pid = ::fork();
  check(pid >= 0, "fork");
  if (pid != 0) return pid;
  try {
    ::_exit(work());
  } catch (...) {
    ::_exit(kThrew);
  }
}

int in_child(const std::function<int()>& work) {
  const pid_t pid = start_child(work);
  int status = 0;
  check(::waitpid(pid, &status, 0) == pid, "waitpid");
  return end_of(status);
}

std::string rest_of_line(const std::filesystem::path& file, const std::string& begin) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(begin)) return line.substr(begin.size());
  return "";
}

std::string status_of(pid_t process, const std::string& name) {
  return rest_of_line(concat("/proc/", process, "/status"), name + ":\t");
}

bool is_sealed(pid_t process) {
  const auto filters = [](pid_t of) { return std::atoi(status_of(of, "Seccomp_filters").c_str()); };
  return eventually([&] { return filters(process) == filters(::getpid()) + 1; });
}

Process::Process(std::string program, Log log) : program_(std::move(program)) {
  std::tie(log_, log_reader_) = open_log(log);
}

Process::~Process() {
  signal(SIGKILL);
  wait();
}

void Process::start(const std::vector<std::string>& arguments) {
  pid_ = start_child([&] { return execute(arguments); });
}

int Process::execute(const std::vector<std::string>& arguments) const {
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) ::dup2(log_.get(), stream);
  place(descriptors);
  before_exec();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of users would have taken it back
  std::vector<std::string> words{program_};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(name + '=' + value);
  ::execve(program_.c_str(), pointers(words).data(), pointers(variables).data());
  std::perror(program_.c_str());
  return 127;
}

void Process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Process::ends(int milliseconds) {
  const auto has_ended = [this] {
    int status = 0;
    if (pid_ == 0) return true;
    if (::wait4(pid_, &status, WNOHANG, &usage_) == 0) return false;
    end_ = end_of(status);
    pid_ = 0;
    return true;
  };
  return eventually(has_ended, milliseconds);
}

int Process::wait() {
  while (!ends(10'000)) signal(SIGKILL);
  return end_;
}

const std::string& Process::log() const {
  char part[4096];
  for (ssize_t length = 0; (length = ::read(log_reader_.get(), part, sizeof part)) > 0;)
    text_.append(part, static_cast<std::size_t>(length));
  return text_;
}

std::vector<std::string> Process::lines() const {
  std::istringstream text(log());
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

int Process::lines_with(const std::string& text) const {
  const std::vector<std::string> all = lines();
  return static_cast<int>(std::count_if(
      all.begin(), all.end(), [&](const std::string& line) { return line.find(text) != line.npos; }));
}

bool Process::logs(const std::string& text) const {
  return eventually([&] { return log().find(text) != std::string::npos; });
}

std::string Process::journal_stream() const {
  struct stat status = {};
  check(::fstat(log_.get(), &status) == 0, "log");
  return concat(status.st_dev, ':', status.st_ino);
}

}  // namespace whawty
