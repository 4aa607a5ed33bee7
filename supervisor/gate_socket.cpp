// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/gate_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "common/text.h"

namespace whawty {
namespace {

constexpr int kWaiting = 1;  // the actuator connects once at a time

void check(bool done, const std::string& what) {
  if (!done) throw std::system_error(errno, std::generic_category(), "the gate's socket: " + what);
}

}  // namespace

Fd gate_folder(const std::string& instance_folder) {
  const std::string path = instance_folder + (::geteuid() == 0 ? "/gate-of-root" : "/gate");
  // It is made anew, since systemd gives whatever is in the service's folder to the service's user.
  static_cast<void>(::rmdir(path.c_str()));
  check(::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST, path);
  Fd folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status = {};
  check(folder && ::fstat(folder.get(), &status) == 0, path);
  if (status.st_uid != ::geteuid() || (status.st_mode & 0777) != 0700)
    throw std::runtime_error(escape(path) + ": others may have made this folder: remove it");
  return folder;
}

GateSocket gate_socket(const Fd& folder) {
  // Through the descriptor, whoever may search the folders above it.
  const std::string path = concat("/proc/self/fd/", folder.get(), "/socket");
  sockaddr_un address{AF_UNIX, {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  // Left by a supervisor that was killed between the calls below; else it is not there.
  static_cast<void>(::unlink(path.c_str()));
  GateSocket made{Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), {}};
  check(static_cast<bool>(made.listener), "socket");
  // The actuator's user connects: with a descriptor of the file, only the file's mode is asked.
  const mode_t mask = ::umask(0);
  const bool bound =
      ::bind(made.listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::umask(mask);
  check(bound, path);
  made.place = Fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  check(static_cast<bool>(made.place), path);
  check(::unlink(path.c_str()) == 0, path);
  check(::listen(made.listener.get(), kWaiting) == 0, "listen");
  return made;
}

}  // namespace whawty
