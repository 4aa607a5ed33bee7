// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/worker.h"

#include <getopt.h>
#include <signal.h>
#include <sys/prctl.h>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <system_error>

#include "common/descriptors.h"
#include "common/exit_code.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/peer_closed.h"
#include "common/sandbox.h"
#include "common/text.h"

namespace whawty {
namespace {

constexpr option kOptions[] = {
    {"without-landlock", no_argument, nullptr, 'l'},
    {"host-mounts", no_argument, nullptr, 'm'},
    {"observe", no_argument, nullptr, 'o'},
    {"journal", no_argument, nullptr, 'j'},
    {"connect", required_argument, nullptr, 'c'},
    {"libvirt", required_argument, nullptr, 'v'},
    {"domain", required_argument, nullptr, 'd'},
    {"no-domain", no_argument, nullptr, 'n'},
    {nullptr, 0, nullptr, 0},
};

// A worker ends when its channel does; this is for one that hangs in a call then, where all processes have
// one user: the kernel asks whether the supervisor may send that signal. Not set by the supervisor before the
// exec: SELinux clears it when the program runs in another domain.
void die_with_supervisor() {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    throw std::system_error(errno, std::generic_category(), "PR_SET_PDEATHSIG");
}

}  // namespace

WorkerOptions parse_worker_options(int argc, char** argv) {
  WorkerOptions options;
  ::opterr = 0;
  for (int choice = 0; (choice = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    if (choice == 'l') options.landlock = false;
    if (choice == 'm') options.host_mounts = true;
    if (choice == 'j') options.journal = true;
    if (choice == 'o') options.observe = true;
    if (choice == 'c') options.connect = ::optarg;
    if (choice == 'v') options.libvirt = ::optarg;
    if (choice == 'n' || choice == 'd')
      options.domains.emplace(options.domains.value_or(std::set<std::string>{}));
    if (choice == 'd') options.domains->insert(::optarg);
    if (choice == '?')
      throw std::runtime_error("an unknown option: the supervisor starts this program, nobody else");
  }
  return options;
}

int exit_code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const PeerClosed&) {
    return kExitPeerClosed;
  } catch (const Alarm& alarm) {
    log::last_line(log::Level::kError, escape(alarm.what()), Record{Event::kAlarm});
  } catch (const Unsealed& error) {
    log::error(error.what());
    return kExitUnsealed;
  } catch (const std::exception& error) {
    log::error(escape(error.what()));
  }
  return kExitFailure;
}

int run_worker(const char* name, int argc, char** argv,
               const std::function<void(const WorkerOptions&)>& work) {
  // It was started by execveat(2) on a descriptor, which leaves a number for a name.
  ::prctl(PR_SET_NAME, name);
  log::start(name);
  return exit_code_of([&] {
    die_with_supervisor();
    const WorkerOptions options = parse_worker_options(argc, argv);
    if (options.journal) log::record_to(take_fd(kJournal).release());
    work(options);
  });
}

}  // namespace whawty
