// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "tool/record_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "common/fd.h"
#include "common/text.h"

namespace whawty {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw std::runtime_error(concat(escape(path), ": ", why));
}

void expect_replaceable(const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    fail(path, "is there, and is not a regular file; - is standard output");
}

void write_all(const Fd& file, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t length = ::write(file.get(), text.data(), text.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) fail(path, std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  if (::fsync(file.get()) != 0) fail(path, std::strerror(errno));
}

}  // namespace

void write_file(const std::string& path, std::string_view text) {
  expect_replaceable(path);
  std::string beside = path + ".XXXXXX";
  const Fd file(::mkostemp(beside.data(), O_CLOEXEC));  // O_CREAT | O_EXCL, 0600
  if (!file) fail(path, std::strerror(errno));
  try {
    write_all(file, path, text);
    if (::rename(beside.c_str(), path.c_str()) != 0) fail(path, std::strerror(errno));
  } catch (const std::runtime_error&) {
    ::unlink(beside.c_str());
    throw;
  }
}

}  // namespace whawty
