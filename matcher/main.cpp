// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The matcher, the policy process: decides, with no eyes and no hands.
#include "common/descriptors.h"
#include "common/sandbox.h"
#include "matcher/matcher.h"
#include "matcher/profile.h"
#include "protocol/worker.h"

namespace whawty {
namespace {

void run() {
  Channel supervisor{take_fd(kMatcherToSupervisor)};
  Channel scanner{take_fd(kMatcherToScanner)};
  Channel actuator{take_fd(kMatcherToActuator)};
  seal(kMatcherProfile);  // nothing is read from a peer before this line
  Matcher{std::move(supervisor), std::move(scanner), std::move(actuator)}.serve();
}

}  // namespace
}  // namespace whawty

int main() {
  return whawty::run_worker("matcher", whawty::run);
}
