// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// The gate: stands between the actuator and libvirtd, and lets through what its table says. It alone may
// connect to libvirtd, and makes no call of its own.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "common/descriptors.h"
#include "common/libvirt_sockets.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/usb_device.h"
#include "common/worker.h"
#include "gate/profile.h"
#include "gate/relay.h"

namespace whawty {
namespace {

constexpr std::uint64_t kDescriptors = 64;
constexpr std::uint64_t kMemory = 64 << 20;  // bytes

constexpr int kFirstPauseMilliseconds = 100;
constexpr int kLongestPauseMilliseconds = 250;

// What somebody who reads the log can do about libvirtd that lets the gate wait.
const char* advice(int error) {
  if (error == EACCES)
    return ": the gate's user must be in libvirt's group, see `id whawty-usb-gate`; SELinux must let it "
           "connect, see `ausearch -m AVC -ts recent`";
  if (error == ENOENT || error == ECONNREFUSED)
    return ": libvirt does not run, or has its socket elsewhere: see `systemctl status libvirtd.socket "
           "virtqemud.socket`";
  return "";
}

// Nothing, with errno, if nobody listens there, or this user may not connect.
Fd connect(const std::string& path) {
  sockaddr_un address{AF_UNIX, {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) throw std::system_error(errno, std::generic_category(), "socket");
  const bool done = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return done ? std::move(socket) : Fd();
}

// The first that there is. If there is none, errno is that of the last but one that is more than that.
Fd connect_to_one_of(const std::vector<std::string>& paths) {
  int error = ENOENT;
  for (const std::string& path : paths) {
    if (Fd connection = connect(path)) return connection;
    if (errno != ENOENT) error = errno;
  }
  errno = error;
  return {};
}

// However long libvirtd takes to come up. Of its peers only the supervisor is read meanwhile.
Fd wait_for_libvirtd(const std::string& uri, const Fd& heartbeat) {
  const std::vector<std::string> paths = libvirt_sockets(uri);
  for (int wait = kFirstPauseMilliseconds;; wait = std::min(2 * wait, kLongestPauseMilliseconds)) {
    if (Fd libvirtd = connect_to_one_of(paths)) return libvirtd;
    if (wait == kFirstPauseMilliseconds)
      log::warning("waiting for libvirt at ", escape(uri), ": ", std::strerror(errno), advice(errno));
    pollfd supervisor{heartbeat.get(), POLLIN, 0};
    if (::poll(&supervisor, 1, wait) > 0) answer_heartbeat(heartbeat);
  }
}

// sysfs that cannot be read lets nothing go.
bool may_go(const Fd& devices, const Hostdev& hostdev) {
  try {
    const auto device = usb_device(devices, hostdev);
    return device && !is_barred(*device) && has_numbers(*device, hostdev);
  } catch (const std::system_error& error) {
    log::warning(error.what());
    return false;
  }
}

void run(const WorkerOptions& options) {
  Fd heartbeat = take_fd(kGateToSupervisor);
  Fd listener = take_fd(kGateListener);
  const Fd devices = open_devices();
  Fd libvirtd = wait_for_libvirtd(options.connect, heartbeat);
  Relay relay{Gate{options.domains ? AllowedDomains{*options.domains} : AllowedDomains{},
                   [&devices](const Hostdev& hostdev) { return may_go(devices, hostdev); }},
              std::move(heartbeat), std::move(listener), std::move(libvirtd)};
  Sandbox sandbox{.profile = kGateProfile, .descriptors = kDescriptors, .memory = kMemory};
  if (options.landlock) sandbox.readable.emplace(kGateReadable.begin(), kGateReadable.end());
  seal(sandbox);  // nothing is read from the actuator or from libvirtd before this line
  relay.serve();
}

}  // namespace
}  // namespace whawty

int main(int argc, char** argv) {
  return whawty::run_worker("gate", argc, argv, whawty::run);
}
