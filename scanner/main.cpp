// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The scanner: reads what USB devices and udev say, tells the matcher, and can do nothing else.
#include "common/descriptors.h"
#include "common/sandbox.h"
#include "protocol/worker.h"
#include "scanner/monitor.h"
#include "scanner/proc_files.h"
#include "scanner/profile.h"
#include "scanner/scanner.h"
#include "scanner/udev.h"

namespace whawty {
namespace {

constexpr std::uint64_t kDescriptors = 64;
constexpr std::uint64_t kMemory = 128
                                  << 20;  // bytes: the records of all devices, and one snapshot in the queue

void run(const WorkerOptions& options) {
  Channel matcher{take_fd(kScannerToMatcher)};
  const ProcFiles files("/proc", options.host_mounts ? take_fd(kScannerHostMounts) : Fd{});
  const Udev udev{udev_new()};
  Monitor monitor{udev.get()};
  Sandbox sandbox{.profile = kScannerProfile, .descriptors = kDescriptors, .memory = kMemory};
  if (options.landlock) sandbox.readable = {"/sys", "/run/udev"};
  seal(sandbox);  // no device, no event and no request is read before this line
  Scanner{udev.get(), monitor, files, matcher}.serve();
}

}  // namespace
}  // namespace whawty

int main(int argc, char** argv) {
  return whawty::run_worker("scanner", argc, argv, whawty::run);
}
