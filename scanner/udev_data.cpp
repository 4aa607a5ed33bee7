// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/udev_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "common/fd.h"
#include "common/text.h"

namespace whawty {
namespace {

constexpr const char* kFolder = "/run/udev";
constexpr const char* kRecords = "/run/udev/data";
constexpr const char* kControl = "/run/udev/control";
// There as long as it has something to do: udevadm(8), "settle", looks at it.
constexpr const char* kQueue = "/run/udev/queue";

// Whether an error says that something does not exist. Any other must not look like this.
bool means_not_there(int error) {
  return error == ENOENT || error == ENOTDIR;
}

bool is_there(int result, const char* path) {
  if (result == 0) return true;
  if (means_not_there(errno)) return false;
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

bool udevd_runs() {
  return is_there(::access(kControl, F_OK), kControl);
}

bool udevd_is_idle() {
  return udevd_runs() && !is_there(::access(kQueue, F_OK), kQueue);
}

std::optional<std::timespec> last_change_of_records() {
  struct stat records = {};
  if (!is_there(::stat(kRecords, &records), kRecords)) return std::nullopt;
  return records.st_mtim;
}

int record_error(dev_t device) {
  const std::string path = concat(kFolder, "/data/c", major(device), ':', minor(device));
  const Fd record(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!record) return errno;
  char byte = 0;  // a folder can be opened
  ssize_t length = 0;
  do {
    length = ::read(record.get(), &byte, 1);
  } while (length < 0 && errno == EINTR);
  return length < 0 ? errno : 0;
}

UdevFolder::Identity UdevFolder::identity() {
  struct stat folder = {};
  if (!is_there(::stat(kFolder, &folder), kFolder)) return std::nullopt;
  return std::pair{folder.st_dev, folder.st_ino};
}

void UdevFolder::expect_same() const {
  const Identity now = identity();
  if (now && now != at_start_)
    throw std::runtime_error(
        concat(kFolder, at_start_ ? " was made anew" : " was not there at the start, and is there now"));
}

}  // namespace whawty
