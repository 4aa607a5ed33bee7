// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/sysfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

namespace whawty {
namespace {

constexpr std::size_t kPage = 4096;  // bytes: what sysfs gives of a text, and at a time

// Whether an error says that the device left. Any other one (no descriptors, no permission) must not look
// like this: a device believed to have left is taken from its guest.
bool means_gone(int error) {
  return error == ENOENT || error == ENODEV || error == ENXIO || error == ENOTDIR;
}

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), "sysfs: " + what);
}

Fd open_at(int directory, const std::string& path, int flags) {
  Fd opened(::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (!opened && !means_gone(errno)) fail(path);
  return opened;
}

struct CloseDirectory {
  void operator()(DIR* listing) const { ::closedir(listing); }
};

}  // namespace

std::optional<SysfsDirectory> SysfsDirectory::open(const std::string& path) {
  Fd directory = open_at(AT_FDCWD, path, O_DIRECTORY);
  if (!directory) return std::nullopt;
  return SysfsDirectory(std::move(directory));
}

std::optional<SysfsDirectory> SysfsDirectory::open(const Fd& directory, const std::string& path) {
  Fd opened = open_at(directory.get(), path, O_DIRECTORY);
  if (!opened) return std::nullopt;
  return SysfsDirectory(std::move(opened));
}

std::optional<std::string> SysfsDirectory::attribute(const std::string& name) const {
  std::optional<std::string> text = content(name, kPage);
  if (text && text->ends_with('\n')) text->pop_back();
  return text;
}

std::optional<std::string> SysfsDirectory::content(const std::string& name, std::size_t at_most) const {
  const Fd file = open_at(directory_.get(), name, 0);
  if (!file) return std::nullopt;
  std::string bytes;
  while (bytes.size() < at_most) {
    char part[kPage];
    const ssize_t length = ::read(file.get(), part, std::min(sizeof part, at_most - bytes.size()));
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && means_gone(errno)) return std::nullopt;
    if (length < 0) fail(name);
    if (length == 0) break;
    bytes.append(part, static_cast<std::size_t>(length));
  }
  return bytes;
}

std::optional<std::string> SysfsDirectory::link(const std::string& name) const {
  char target[kPage];
  const ssize_t length = ::readlinkat(directory_.get(), name.c_str(), target, sizeof target);
  if (length >= 0) return std::string(target, static_cast<std::size_t>(length));
  constexpr int kNoLink = EINVAL;
  if (errno != kNoLink && !means_gone(errno)) fail(name);
  return std::nullopt;
}

std::vector<std::string> SysfsDirectory::names() const {
  Fd again = open_at(directory_.get(), ".", O_DIRECTORY);
  if (!again) return {};
  const std::unique_ptr<DIR, CloseDirectory> listing(::fdopendir(again.get()));
  if (!listing) fail("fdopendir");
  again.release();  // closed with the listing from here on
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* const entry = ::readdir(listing.get()))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  if (errno != 0 && !means_gone(errno)) fail("readdir");
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace whawty
