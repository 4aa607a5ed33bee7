// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/instance_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "common/log.h"

namespace whawty {
namespace {

constexpr const char* kName = "/whawty-libvirt-usb-hotplugd";

// The file that is locked, or nothing and errno. Nobody else can reach it: who could open it could lock it.
Fd open_lock(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return {};
  const Fd directory(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return {};
  Fd file(::openat(directory.get(), "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  struct stat owner = {};
  // Root may have created it in a folder of the service's user, who must be able to open it later.
  if (file && ::geteuid() == 0 && ::fstat(directory.get(), &owner) == 0 &&
      ::fchown(file.get(), owner.st_uid, owner.st_gid) != 0)
    return {};
  return file;
}

std::string already_runs(pid_t holder) {
  // 0: one that this PID namespace does not show.
  const std::string as = holder > 0 ? concat("as process ", holder) : "in another PID namespace";
  return concat("another daemon runs on this host, ", as,
                ", and two would take devices from each other: end that one first (systemctl stop "
                "whawty-libvirt-usb-hotplugd, if it is the service)");
}

}  // namespace

std::string instance_folder(bool privileged) {
  const char* const own = std::getenv("XDG_RUNTIME_DIR");
  if (!privileged && own != nullptr && *own == '/') return std::string(own) + kName;
  if (privileged || ::geteuid() == 0) return std::string("/run") + kName;
  return concat("/run/user/", ::geteuid(), kName);
}

Fd lock_instance(const std::string& folder) {
  Fd file = open_lock(folder);
  // A lock of fcntl(2), since a child does not inherit it: nothing of a supervisor that was killed keeps the
  // next one from starting. It also tells who has it.
  while (file) {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    if (::fcntl(file.get(), F_SETLK, &lock) == 0) return file;
    if ((errno != EAGAIN && errno != EACCES) || ::fcntl(file.get(), F_GETLK, &lock) != 0) break;
    // Unlocked: the other one ended between the two calls.
    if (lock.l_type != F_UNLCK) throw std::runtime_error(already_runs(lock.l_pid));
  }
  log::warning("nothing keeps a second daemon from being started on this host: ", escape(folder), ": ",
               std::strerror(errno));
  return {};
}

}  // namespace whawty
