// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// whawty-libvirt-usb-hotplugd: what the user runs. It starts the scanner, the matcher, the actuator and the
// gate, and keeps them running; it alone has privileges, and it reads no byte of a device or a guest.
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <system_error>

#include "common/bounds.h"
#include "common/identity.h"
#include "common/landlock.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/text.h"
#include "protocol/supervisor_to_matcher.h"
#include "supervisor/domain_list.h"
#include "supervisor/gate_socket.h"
#include "supervisor/instance_lock.h"
#include "supervisor/journal.h"
#include "supervisor/options.h"
#include "supervisor/profile.h"
#include "supervisor/supervisor.h"

namespace whawty {
namespace {

// The system refused something at work, such as a process: another start may help. systemd's unit knows that
// after EXIT_FAILURE it does not.
constexpr int kExitSystem = 2;

// Only these capabilities are kept, if the process has them: to change the workers' users, and to end the
// workers.
constexpr std::uint64_t kCapabilities = 1ULL << CAP_SETUID | 1ULL << CAP_SETGID;

// From here on signals wait in a descriptor: one that comes early is not lost, and none ends a worker at its
// start.
Fd block_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGHUP, SIGTERM, SIGINT, SIGCHLD}) ::sigaddset(&signals, signal);
  Fd descriptor(::sigprocmask(SIG_BLOCK, &signals, nullptr) == 0
                    ? ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)
                    : -1);
  if (!descriptor) throw std::system_error(errno, std::generic_category(), "signals");
  return descriptor;
}

// The workers' log is this stderr. Where it is a terminal, what is typed there is not for them to read.
void make_terminal_write_only(bool privileged) {
  struct stat status = {};
  if (::fstat(STDERR_FILENO, &status) != 0 || !S_ISCHR(status.st_mode)) return;
  const Fd terminal(::open("/proc/self/fd/2", O_WRONLY | O_NOCTTY | O_CLOEXEC));
  if (terminal && ::dup2(terminal.get(), STDERR_FILENO) == STDERR_FILENO) return;
  const std::system_error error(errno, std::generic_category(), "opening stderr for writing only");
  if (privileged) throw error;
  log::warning(concat(error.what(), ": the workers can read from this terminal"));
}

// At a reload the old configuration, the new one and what is on its way of it are open.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 3 * (kMaxConfigFiles + 1) + 100);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void expect_landlock() {
  if (!landlock_is_there())
    throw std::runtime_error(
        "this kernel does not have Landlock, or has it switched off (see /sys/kernel/security/lsm): start "
        "with "
        "--without-landlock to run without this part of the sandbox; the service does with the lines "
        "[Service] and "
        "Environment=OPTIONS=--without-landlock in "
        "/etc/systemd/system/whawty-libvirt-usb-hotplugd.service.d/options.conf, after systemctl "
        "daemon-reload");
}

// The unit gives the list of the host's mounts as the standard input: where it protects folders from the
// daemon, the list of the daemon's own mount namespace lacks mounts.
bool is_given_mounts() {
  struct statfs found = {};
  struct stat status = {};
  return ::fstatfs(STDIN_FILENO, &found) == 0 && found.f_type == PROC_SUPER_MAGIC &&
         ::fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
}

int run(const Options& options) {
  Fd signals = block_signals();
  const bool privileged = has_capability(CAP_SETUID) && has_capability(CAP_SETGID);
  make_terminal_write_only(privileged);
  const std::string folder = instance_folder(privileged);
  const Fd only_one = lock_instance(folder);
  raise_descriptor_limit();
  if (options.landlock) {
    expect_landlock();
  } else {
    log::warning("running without Landlock");
  }
  Supervisor::Settings settings{
      options.config,
      privileged,
      {options.connect, {}, options.landlock, is_given_mounts(), false, options.observe},
      {}};
  if (!options.domains.empty()) settings.workers.domains = read_domain_list(options.domains, privileged);
  settings.workers.journal = log::in_journal() && open_journal();
  if (options.observe) log::warning("observing: no device is attached or detached");
  Programs programs = find_programs();
  settings.gate_folder = gate_folder(folder);
  seal({.profile = kSupervisorProfile, .capabilities = kCapabilities, .may_start_processes = true});
  try {
    return Supervisor{std::move(settings), std::move(programs), std::move(signals)}.run();
  } catch (const std::system_error& error) {
    log::error(error.what());
    return kExitSystem;
  }
}

}  // namespace
}  // namespace whawty

int main(int argc, char** argv) {
  using namespace whawty;
  const Options options = parse_options(argc, argv);
  switch (options.action) {
    case Options::Action::kHelp:
      std::cout << kUsage;
      return EXIT_SUCCESS;
    case Options::Action::kVersion:
      std::cout << "whawty-libvirt-usb-hotplugd " WHAWTY_VERSION "\n";
      return EXIT_SUCCESS;
    case Options::Action::kUsageError:
      std::cerr << options.mistake << '\n' << kUsage;
      return EXIT_FAILURE;
    case Options::Action::kRun:
      break;
  }
  log::start("whawty-libvirt-usb-hotplugd");
  try {
    return run(options);
  } catch (const std::exception& error) {
    log::error(error.what());
    return EXIT_FAILURE;
  }
}
