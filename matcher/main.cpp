// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The matcher, the policy process: decides, with no eyes and no hands.
#include "common/descriptors.h"
#include "common/sandbox.h"
#include "common/worker.h"
#include "matcher/matcher.h"
#include "matcher/profile.h"

namespace whawty {
namespace {

constexpr std::uint64_t kDescriptors = 64;
constexpr std::uint64_t kMemory = 256 << 20;  // bytes

void run(const WorkerOptions& options) {
  Channel supervisor{take_fd(kMatcherToSupervisor)};
  Channel scanner{take_fd(kMatcherToScanner)};
  Channel actuator{take_fd(kMatcherToActuator)};
  Sandbox sandbox{.profile = kMatcherProfile, .descriptors = kDescriptors, .memory = kMemory};
  if (options.landlock) sandbox.readable.emplace();  // no file at all
  seal(sandbox);                                     // nothing is read from a peer before this line
  Matcher{std::move(supervisor), std::move(scanner), std::move(actuator), options.observe}.serve();
}

}  // namespace
}  // namespace whawty

int main(int argc, char** argv) {
  return whawty::run_worker("matcher", argc, argv, whawty::run);
}
