// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The scanner: reads what USB devices and udev say, tells the matcher, and can do nothing else.
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <latch>
#include <thread>

#include "common/descriptors.h"
#include "common/exit_code.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/worker.h"
#include "scanner/monitor.h"
#include "scanner/proc_files.h"
#include "scanner/profile.h"
#include "scanner/readers.h"
#include "scanner/route_monitor.h"
#include "scanner/scanner.h"
#include "scanner/udev.h"

namespace whawty {
namespace {

constexpr std::uint64_t kDescriptors = 64;
// Bytes: the records of all devices, one snapshot in the queue, and the stacks of all threads.
constexpr std::uint64_t kMemory = 192 << 20;

[[noreturn]] void fail_to_part() {
  log::error("giving the thread that serves descriptors of its own: ", std::strerror(errno));
  ::_exit(kExitUnsealed);
}

// A thread that waits for a device cannot be killed before the kernel lets it go, and a process has its
// descriptors until its last thread has ended. So the thread that serves has descriptors of its own: the
// channel closes with it, and the others hear at once that the scanner is dead. It is not the first thread
// that does so, since libudev finds what it has opened in /proc/self/fd, where the kernel shows the first
// thread's: those that read devices must share them.
void serve_apart(const std::function<int()>& serve) {
  std::latch has_its_own{1};
  std::latch closed{1};
  std::thread server([&] {
    if (::unshare(CLONE_FILES) != 0) fail_to_part();
    has_its_own.count_down();
    closed.wait();
    // Ends here, without destructors: they would wait for devices that do not answer.
    ::_exit(serve());
  });
  has_its_own.wait();
  if (::close_range(kFirstPassed, ~0U, 0) != 0) fail_to_part();
  closed.count_down();
  server.join();  // never done: it ends the process
}

void run(const WorkerOptions& options) {
  Channel matcher{take_fd(kScannerToMatcher)};
  const Udev udev{udev_new()};
  Monitor monitor{udev.get(), kScannerUdev};  // before anything else takes their numbers
  RouteMonitor routes{kScannerRoutes};
  const ProcFiles files("/proc", options.host_mounts ? take_fd(kScannerHostMounts) : Fd{});
  Sandbox sandbox{.profile = kScannerProfile, .descriptors = kDescriptors, .memory = kMemory};
  if (options.landlock) sandbox.readable.emplace(kScannerReadable.begin(), kScannerReadable.end());
  restrict_thread(sandbox);  // not after the threads below
  Readers readers;
  serve_apart([&] {
    return exit_code_of([&] {
      seal_process(sandbox);  // no device, no event and no request is read before this line
      Scanner{readers, monitor, routes, files, matcher}.serve();
    });
  });
}

}  // namespace
}  // namespace whawty

int main(int argc, char** argv) {
  return whawty::run_worker("scanner", argc, argv, whawty::run);
}
