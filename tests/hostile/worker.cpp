// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tests/hostile/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "common/bounds.h"
#include "common/descriptors.h"
#include "common/landlock.h"
#include "tests/eventually.h"

namespace whawty::hostile {
namespace {

constexpr int kPatience = 10'000;  // milliseconds

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

long milliseconds_of(const timeval& time) {
  return time.tv_sec * 1000 + time.tv_usec / 1000;
}

// The child's way to exec.
[[noreturn]] void execute(const std::string& program, std::vector<std::string>& arguments, int log,
                          const std::vector<int>& channels) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<int> high;
  for (const int channel : channels) high.push_back(::fcntl(channel, F_DUPFD_CLOEXEC, kAbovePassed));
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  int next = kFirstPassed;
  for (const int channel : high) ::dup2(channel, next++);
  ::close_range(static_cast<unsigned>(next), ~0U, CLOSE_RANGE_CLOEXEC);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  // libudev, too, is told that the test's sysfs is one.
  char verify[] = "SYSTEMD_DEVICE_VERIFY_SYSFS=0";
  char* environment[] = {verify, nullptr};
  ::execve(program.c_str(), pointers.data(), environment);
  ::_exit(127);
}

}  // namespace

bool Peer::send(const Datagram& datagram, const std::vector<int>& descriptors, int milliseconds) {
  iovec part{const_cast<std::byte*>(datagram.data()), datagram.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t length = descriptors.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(length);
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(length);
    std::memcpy(CMSG_DATA(rights), descriptors.data(), length);
  }
  while (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno != EAGAIN && errno != EINTR) return false;
    pollfd room{socket_.get(), POLLOUT, 0};
    if (::poll(&room, 1, milliseconds) == 0) return false;
  }
  return true;
}

std::optional<Datagram> Peer::receive(int milliseconds) {
  pollfd input{socket_.get(), POLLIN, 0};
  if (::poll(&input, 1, milliseconds) != 1) return std::nullopt;
  Datagram datagram(kMaxDatagram);
  const ssize_t length = ::recv(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
  if (length <= 0) return std::nullopt;
  datagram.resize(static_cast<std::size_t>(length));
  return datagram;
}

Worker::Worker(const std::string& program, std::size_t channels, std::vector<std::string> arguments)
    : log_(::memfd_create("log", MFD_CLOEXEC)) {
  arguments.insert(arguments.begin(), program);
  if (!landlock_is_there()) arguments.emplace_back("--without-landlock");
  ::fcntl(log_.get(), F_SETFL, O_APPEND);
  std::vector<Fd> theirs;
  std::vector<int> numbers;
  for (std::size_t i = 0; i < channels; ++i) {
    auto [mine, other] = Channel::pair();
    numbers.push_back(other.get());
    theirs.push_back(std::move(other));
    peers_.emplace_back(std::move(mine));
  }
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) execute(program, arguments, log_.get(), numbers);
  theirs.clear();
  const bool sealed = eventually(
      [&] {
        std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
        for (std::string line; std::getline(file, line);)
          if (line == "Seccomp:\t2") return true;
        return false;
      },
      kPatience);
  if (!sealed) throw std::runtime_error(program + " does not come up sealed");
  at_seal_ = memory("VmRSS");
}

Worker::~Worker() {
  end();
}

long Worker::memory(const std::string& name) const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ':')) return std::atol(line.c_str() + name.size() + 1);
  return 0;
}

bool Worker::runs() {
  return !reap(0);
}

// The kernel's count of the peak is exact, but that of an ended process holds what the test took at the fork.
bool Worker::reap(int milliseconds) {
  return pid_ == 0 || eventually(
                          [&] {
                            peak_ = std::max(peak_, memory("VmHWM"));
                            int status = 0;
                            rusage usage{};
                            if (::wait4(pid_, &status, WNOHANG, &usage) == 0) return false;
                            peak_ = std::max(peak_, usage.ru_maxrss);
                            cpu_milliseconds_ =
                                milliseconds_of(usage.ru_utime) + milliseconds_of(usage.ru_stime);
                            exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
                            pid_ = 0;
                            return true;
                          },
                          milliseconds);
}

int Worker::end_of_itself() {
  if (reap(kPatience)) return exit_;
  end();
  return 1000;
}

int Worker::end() {
  for (Peer& peer : peers_) peer.close();
  if (reap(kPatience)) return exit_;
  ::kill(pid_, SIGKILL);
  reap(kPatience);
  return 1000;
}

std::vector<std::string> Worker::log() const {
  std::string text(1 << 20, '\0');
  const ssize_t length = ::pread(log_.get(), text.data(), text.size(), 0);
  std::istringstream input(text.substr(0, static_cast<std::size_t>(std::max<ssize_t>(length, 0))));
  std::vector<std::string> lines;
  for (std::string line; std::getline(input, line);) lines.push_back(line);
  return lines;
}

}  // namespace whawty::hostile
