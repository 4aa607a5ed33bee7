// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// A worker that has been taken over, to be put in the place of all four. As scanner and actuator it only
// waits for the end; as gate it answers its heartbeat, too. What it does as matcher, once it has taken the
// configuration, is in the one variable that it is passed:
//   flood      tells its status for ever
//   die        answers the first ping, and ends as a worker that could not be sealed
//   die-first  ends like that at once
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "common/descriptors.h"
#include "common/exit_code.h"
#include "protocol/channel.h"
#include "protocol/matcher_to_supervisor.h"
#include "protocol/supervisor_to_matcher.h"

namespace whawty {
namespace {

void wait_for(int fd, short events) {
  pollfd wait{fd, events, 0};
  ::poll(&wait, 1, -1);
}

void await(Channel& supervisor, bool (*is_it)(const ControlMessage&)) {
  for (Received received;;) {
    while (!supervisor.receive(received)) wait_for(supervisor.fd(), POLLIN);
    if (is_it(decode_control_message(received.datagram))) return;
  }
}

void send(Channel& supervisor, const PolicyMessage& message) {
  supervisor.send(encode(message));
  while ((supervisor.poll_events() & POLLOUT) != 0) {
    wait_for(supervisor.fd(), POLLOUT);
    supervisor.flush();
  }
}

[[noreturn]] void play(const std::string& part) {
  Channel supervisor{Fd(kMatcherToSupervisor)};
  if (part == "die-first") ::_exit(kExitUnsealed);
  await(supervisor,
        [](const ControlMessage& message) { return std::holds_alternative<ConfigCommit>(message); });
  send(supervisor, ConfigAccepted{});
  std::fputs("taken over\n", stderr);
  while (part == "flood") send(supervisor, Status{});
  await(supervisor, [](const ControlMessage& message) { return std::holds_alternative<Ping>(message); });
  send(supervisor, Pong{});
  ::usleep(500'000);  // for the supervisor to read that before it learns of the end
  ::_exit(kExitUnsealed);
}

}  // namespace
}  // namespace whawty

int main() {
  const char* const part = std::getenv("WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG");
  const bool is_matcher = ::lseek(whawty::kMatcherToActuator, 0, SEEK_CUR) == 0 || errno == ESPIPE;
  try {
    if (is_matcher && part != nullptr) whawty::play(part);
    // The gate is the only one that is sent something, by the supervisor.
    static_assert(whawty::kGateToSupervisor == whawty::kScannerToMatcher);
    whawty::Channel peer{whawty::Fd(whawty::kGateToSupervisor)};
    for (whawty::Received received;; peer.send(received.datagram))
      while (!peer.receive(received)) whawty::wait_for(peer.fd(), POLLIN);
  } catch (const whawty::PeerClosed&) {
  }
  return whawty::kExitPeerClosed;
}
