// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/workers.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "common/descriptors.h"
#include "common/log.h"

namespace whawty {
namespace {

// What a worker may know of the environment: whether to log for the journal, whether to log all, and the
// time zone.
constexpr const char* kPassedOn[] = {"JOURNAL_STREAM", "WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG", "TZ"};

[[noreturn]] void fail(const char* step) {
  throw std::system_error(errno, std::generic_category(), step);
}

std::filesystem::path workers_folder() {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  return self.parent_path().parent_path() / "libexec" / "whawty-libvirt-usb-hotplugd";
}

std::optional<Identity> identity_for(const std::string& worker) {
  const std::string user = "whawty-usb-" + worker;
  try {
    return identity_of(user);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(
        concat(error.what(), ", which the ", worker,
               " runs as. Create the users with: systemd-sysusers "
               "/usr/lib/sysusers.d/whawty-libvirt-usb-hotplugd.conf (or the path of that file)"));
  }
}

Program find_program(const std::string& name, bool own_user) {
  const std::filesystem::path path = workers_folder() / name;
  // A descriptor of the file, so that the worker's user need not be able to reach its folder.
  Fd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file) throw std::runtime_error(concat(path.string(), ": ", std::strerror(errno)));
  Program program{name, std::move(file), own_user ? identity_for(name) : std::nullopt};
  // The gate's one group lets it connect to libvirtd. An earlier version had the actuator in it.
  if (program.identity && name != "gate" && !program.identity->groups.empty())
    log::warning("user whawty-usb-", name, " is in groups that it does not need: see `id whawty-usb-", name,
                 "`, and take it out of them with gpasswd --delete");
  return program;
}

std::vector<std::string> worker_environment() {
  std::vector<std::string> environment;
  for (const char* const name : kPassedOn)
    if (const char* const value = std::getenv(name)) environment.push_back(concat(name, '=', value));
  // libvirt's client would start a daemon of its own otherwise, where it finds none.
  environment.emplace_back("LIBVIRT_AUTOSTART=0");
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

void place(int from, int to) {
  if (::dup2(from, to) < 0) fail("dup2");
}

// Everything but the passed descriptors closes at exec.
void arrange_descriptors(std::vector<Passed> passed) {
  // Out of the way first: one may stand where another one belongs.
  for (Passed& one : passed)
    if ((one.descriptor = ::fcntl(one.descriptor, F_DUPFD_CLOEXEC, kAbovePassed)) < 0) fail("fcntl");
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  place(null.get(), STDIN_FILENO);
  place(STDERR_FILENO, STDOUT_FILENO);
  if (::close_range(kFirstPassed, ~0U, CLOSE_RANGE_CLOEXEC) != 0) fail("close_range");
  for (const Passed& one : passed) place(one.descriptor, one.number);
}

// The child's way from fork to exec.
[[noreturn]] void become_worker(const Program& program, std::vector<std::string> arguments,
                                const std::vector<Passed>& descriptors) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // Away from the terminal: its signals are for the supervisor.
  ::setsid();
  const int file = ::fcntl(program.file.get(), F_DUPFD_CLOEXEC, kAbovePassed);
  if (file < 0) fail("keeping the program's file");
  arrange_descriptors(descriptors);
  if (program.identity) become(*program.identity);
  keep_capabilities(0);
  arguments.insert(arguments.begin(), program.name);
  std::vector<std::string> environment = worker_environment();
  ::syscall(SYS_execveat, file, "", pointers(arguments).data(), pointers(environment).data(), AT_EMPTY_PATH);
  fail("execveat");
}

}  // namespace

Programs find_programs() {
  const bool own_users = has_capability(CAP_SETUID) && has_capability(CAP_SETGID);
  if (!own_users)
    log::warning(
        "not started as root: all five processes run as this user, and only the seal of each keeps them "
        "apart");
  return {find_program("scanner", own_users), find_program("matcher", own_users),
          find_program("actuator", own_users), find_program("gate", own_users)};
}

void kill(const Program& program, pid_t worker) {
  if (!program.identity) {
    ::kill(worker, SIGKILL);
    return;
  }
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    try {
      become(*program.identity);
    } catch (const std::exception&) {
      ::_exit(EXIT_FAILURE);
    }
    ::_exit(::kill(worker, SIGKILL) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

pid_t start(const Program& program, const std::vector<std::string>& arguments,
            const std::vector<Passed>& descriptors) {
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child > 0) return child;
  try {
    become_worker(program, arguments, descriptors);
  } catch (const std::exception& error) {
    log::error("starting the ", program.name, ": ", error.what());
  }
  ::_exit(EXIT_FAILURE);
}

}  // namespace whawty
