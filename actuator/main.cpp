// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The actuator: hands, no opinion. It holds the libvirt connection and does what the matcher's numbers say.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "actuator/actuator.h"
#include "actuator/profile.h"
#include "common/descriptors.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "protocol/worker.h"

namespace whawty {
namespace {

// libvirtd serves five requests of one connection at a time: one stays free of calls that may hang.
constexpr std::size_t kWorkers = 4;

// A detach waits up to five seconds for the guest; a call on a stuck guest waits for half a minute.
constexpr std::chrono::seconds kStallLimit{8};

constexpr int kFirstPauseMilliseconds = 100;
constexpr int kLongestPauseMilliseconds = 1000;

// Waits, without reading a byte from the matcher, but ends when the matcher does.
void pause(const Channel& matcher, int milliseconds) {
  pollfd wait{matcher.fd(), 0, 0};
  if (::poll(&wait, 1, milliseconds) > 0) throw PeerClosed{};
}

// Opens the connection, however long libvirt takes to come up.
std::unique_ptr<Hypervisor> connect(const std::string& uri, HypervisorEvents& events,
                                    const Channel& matcher) {
  for (int wait = kFirstPauseMilliseconds;; wait = std::min(2 * wait, kLongestPauseMilliseconds)) {
    auto attempt = open_hypervisor(uri, events);
    if (auto* const hypervisor = std::get_if<0>(&attempt)) return std::move(*hypervisor);
    if (wait == kFirstPauseMilliseconds)
      log::warning("waiting for libvirt at ", escape(uri), ": ", escape(std::get<1>(attempt)));
    pause(matcher, wait);
  }
}

void run(const std::string& uri) {
  Channel matcher{take_fd(kActuatorToMatcher)};
  Outbox outbox;
  const std::unique_ptr<Hypervisor> hypervisor = connect(uri, outbox, matcher);
  Dispatcher dispatcher{kWorkers, kStallLimit};
  // Ends here, without destructors: they would wait for calls that hang.
  ::_exit(exit_code_of([&] {
    seal(kActuatorProfile);  // nothing is read from a peer before this line
    log::info("connected to ", escape(uri));
    Actuator{std::move(matcher), *hypervisor, outbox, dispatcher}.serve();
  }));
}

}  // namespace
}  // namespace whawty

int main(int argc, char** argv) {
  return whawty::run_worker("actuator", [&] {
    if (argc != 3 || std::string_view(argv[1]) != "--connect")
      throw std::runtime_error("usage: actuator --connect URI (the supervisor starts it)");
    whawty::run(argv[2]);
  });
}
