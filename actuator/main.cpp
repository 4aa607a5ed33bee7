// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The actuator: hands, no opinion. It holds the connection to libvirt, which leads through the gate, and does
// what the matcher's numbers say.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include "actuator/actuator.h"
#include "actuator/profile.h"
#include "common/bounds.h"
#include "common/descriptors.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/usb_device.h"
#include "common/worker.h"

namespace whawty {
namespace {

// A detach waits up to five seconds for the guest, and then for AppArmor's profile: two seconds on an
// emulated host, five where that is busy. A call on a guest that is stuck waits for half a minute if another
// one came before it; for ever, if it is the first.
constexpr Dispatcher<Uuid>::Patience kPatience{kStuckAfter, kBlockedAfter};

constexpr std::uint64_t kDescriptors = 64;
constexpr std::uint64_t kMemory = 256 << 20;  // bytes, with the stacks of all threads

constexpr int kFirstPauseMilliseconds = 100;
constexpr int kLongestPauseMilliseconds = 250;

// Waits, without reading a byte from the matcher, but ends when the matcher does.
void pause(const Channel& matcher, int milliseconds) {
  pollfd wait{matcher.fd(), 0, 0};
  if (::poll(&wait, 1, milliseconds) > 0) throw PeerClosed{};
}

// Opens the connection, however long libvirt takes to come up and to let this daemon in.
std::unique_ptr<Hypervisor> connect(const WorkerOptions& options, HypervisorEvents& events,
                                    const Channel& matcher, const std::function<void()>& restrict) {
  for (int wait = kFirstPauseMilliseconds;; wait = std::min(2 * wait, kLongestPauseMilliseconds)) {
    auto attempt = open_hypervisor(options.connect, events, restrict);
    if (auto* const hypervisor = std::get_if<0>(&attempt)) return std::move(*hypervisor);
    if (wait == kFirstPauseMilliseconds)
      log::warning("waiting for libvirt at ", escape(options.libvirt), ": ", escape(std::get<1>(attempt)));
    pause(matcher, wait);
  }
}

void run(const WorkerOptions& options) {
  Channel matcher{take_fd(kActuatorToMatcher)};
  Fd gate = take_fd(kActuatorToGate);  // which the URI names
  Outbox outbox;
  const Limits limits{options.domains ? AllowedDomains{*options.domains} : AllowedDomains{},
                      DeviceCheck{open_devices()}};
  Sandbox sandbox{.profile = kActuatorProfile, .descriptors = kDescriptors, .memory = kMemory};
  if (options.landlock) sandbox.readable.emplace(kActuatorReadable.begin(), kActuatorReadable.end());
  const auto restrict = [sandbox] { restrict_thread(sandbox); };
  const std::unique_ptr<Hypervisor> hypervisor = connect(options, outbox, matcher, restrict);
  gate.reset();  // nobody connects any more
  restrict();    // not before the connection, for which libvirt reads files, and not after the threads below
  Dispatcher<Uuid> dispatcher{call_rooms(), kPatience};
  // Ends here, without destructors: they would wait for calls that hang.
  ::_exit(exit_code_of([&] {
    seal_process(sandbox);  // nothing is read from a peer before this line
    log::info("connected to ", escape(options.libvirt));
    Actuator{std::move(matcher), *hypervisor, outbox, dispatcher, limits}.serve();
  }));
}

}  // namespace
}  // namespace whawty

int main(int argc, char** argv) {
  return whawty::run_worker("actuator", argc, argv, whawty::run);
}
