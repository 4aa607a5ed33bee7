// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "scanner/proc_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "common/bounds.h"
#include "common/log.h"
#include "common/text.h"

namespace whawty {
namespace {

Fd open_list(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno != ENOENT) throw std::system_error(errno, std::generic_category(), path);
  return file;
}

std::optional<std::string> read_again(const Fd& file) {
  constexpr std::size_t kPart = 16 * 1024;  // bytes
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return std::nullopt;
  std::string text;
  char part[kPart];
  for (;;) {
    const ssize_t length = ::read(file.get(), part, sizeof part);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return std::nullopt;
    if (length == 0) return text;
    text.append(part, static_cast<std::size_t>(length));
    if (text.size() > kMaxProcList) return std::nullopt;
  }
}

std::optional<std::string> read_if_there(const Fd& file) {
  return file ? read_again(file) : "";
}

}  // namespace

ProcFiles::ProcFiles(const std::string& folder, Fd mounts)
    : mounts_(mounts ? std::move(mounts) : open_list(folder + "/self/mountinfo")),
      swaps_(open_list(folder + "/swaps")),
      routes_(open_list(folder + "/self/net/route")),
      ipv6_routes_(open_list(folder + "/self/net/ipv6_route")),
      count_of_events_(open_list("/sys/kernel/uevent_seqnum")) {
  if (!mounts_)
    log::warning(folder, "/self/mountinfo is not there: every USB disk counts as one that the host is using");
  if (!swaps_) log::warning(folder, "/swaps is not there: swap on a USB disk is not noticed");
}

std::optional<std::string> ProcFiles::mounts() const {
  return mounts_ ? read_again(mounts_) : std::nullopt;
}

std::optional<std::string> ProcFiles::swaps() const {
  return read_if_there(swaps_);
}

std::optional<std::string> ProcFiles::routes() const {
  return read_if_there(routes_);
}

std::optional<std::string> ProcFiles::ipv6_routes() const {
  return read_if_there(ipv6_routes_);
}

std::optional<std::string> ProcFiles::count_of_events() const {
  return count_of_events_ ? read_again(count_of_events_) : std::nullopt;
}

}  // namespace whawty
