// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The scanner: reads what USB devices and udev say, tells the matcher, and can do nothing else.
#include "common/descriptors.h"
#include "common/sandbox.h"
#include "protocol/worker.h"
#include "scanner/monitor.h"
#include "scanner/profile.h"
#include "scanner/scanner.h"
#include "scanner/udev.h"

namespace whawty {
namespace {

void run() {
  Channel matcher{take_fd(kScannerToMatcher)};
  const Udev udev{udev_new()};
  Monitor monitor{udev.get()};
  seal(kScannerProfile);  // no device, no event and no request is read before this line
  Scanner{udev.get(), monitor, matcher}.serve();
}

}  // namespace
}  // namespace whawty

int main() {
  return whawty::run_worker("scanner", whawty::run);
}
