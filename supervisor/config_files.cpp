// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/config_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "common/bounds.h"
#include "common/text.h"
#include "protocol/supervisor_to_matcher.h"
#include "supervisor/trust.h"

namespace whawty {
namespace {

constexpr std::string_view kSuffix = ".yml";

struct Failure {
  std::string message;
};

[[noreturn]] void fail(const std::string& name, const std::string& why) {
  throw Failure{escape(name) + ": " + why};
}

// O_NONBLOCK: opening a FIFO or a device must not hang.
Fd open_for_reading(int directory, const std::string& name) {
  return Fd(::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

bool is_regular(const Fd& file, const std::string& name) {
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) fail(name, std::strerror(errno));
  return S_ISREG(status.st_mode);
}

Fd sealed_copy(const Fd& file, const std::string& name) {
  Fd copy(::memfd_create("config", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) fail(name, std::string("memfd_create: ") + std::strerror(errno));
  // One byte more than is allowed shows that there is more; a file that shrinks meanwhile ends early.
  for (std::size_t left = kMaxConfigBytes + 1; left > 0;) {
    const ssize_t length = ::sendfile(copy.get(), file.get(), nullptr, left);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) fail(name, std::strerror(errno));
    if (length == 0) break;
    left -= static_cast<std::size_t>(length);
    if (left == 0)
      fail(name, concat("is larger than ", size_text(kMaxConfigBytes), ", which no configuration is"));
  }
  if (::fcntl(copy.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    fail(name, std::string("sealing its copy: ") + std::strerror(errno));
  // Its receiver needs no descriptor that is open for writing, and SELinux lets it have none.
  Fd readable(::open(concat("/proc/self/fd/", copy.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!readable) fail(name, std::string("opening its copy: ") + std::strerror(errno));
  return readable;
}

std::vector<std::string> names_in(int directory, const std::string& name) {
  const int own = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(own < 0 ? nullptr : ::fdopendir(own), &::closedir);
  if (!listing) fail(name, std::strerror(errno));
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* const entry = ::readdir(listing.get())) {
    const std::string_view file = entry->d_name;
    if (file.size() > kSuffix.size() && file.ends_with(kSuffix)) names.emplace_back(file);
    errno = 0;
  }
  if (errno != 0) fail(name, std::strerror(errno));
  if (names.size() > kMaxConfigFiles)
    fail(name, concat("holds more than ", kMaxConfigFiles, " files that end in .yml"));
  std::sort(names.begin(), names.end());
  return names;
}

// A file, or the folder machines.d: whoever may take files out of it decides, too.
void expect_trusted(const Fd& file, const std::string& name) {
  if (const auto reason = reason_not_to_trust(file, name))
    fail(name, "refused: " + *reason + "; whoever writes it decides which guest gets which device");
}

void add_machine(ConfigFiles& config, int directory, const std::string& path, const std::string& file,
                 bool trusted_only) {
  const std::string name = path + '/' + file;
  const Fd opened = open_for_reading(directory, file);
  if (!opened && errno == ENOENT) {
    config.notices.push_back(escape(name) + " is a link to nothing: ignored");
    return;
  }
  // A socket under that name cannot be opened, and is no regular file either.
  if (!opened && errno == ENXIO) return;
  if (!opened) fail(name, std::strerror(errno));
  if (!is_regular(opened, name)) return;
  if (trusted_only) expect_trusted(opened, name);
  const std::string machine = file.substr(0, file.size() - kSuffix.size());
  config.files.push_back({name, machine, sealed_copy(opened, name)});
}

ConfigFiles read_all(const std::string& path, bool trusted_only) {
  ConfigFiles config;
  const Fd main = open_for_reading(AT_FDCWD, path);
  if (!main) fail(path, std::strerror(errno));
  if (!is_regular(main, path)) fail(path, "is not a regular file");
  if (trusted_only) expect_trusted(main, path);
  config.files.push_back({path, "", sealed_copy(main, path)});

  const std::string directory = (std::filesystem::path(path).parent_path() / "machines.d").string();
  const Fd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened && (errno == ENOENT || errno == ENOTDIR)) return config;
  if (!opened) fail(directory, std::strerror(errno));
  if (trusted_only) expect_trusted(opened, directory);
  for (const std::string& file : names_in(opened.get(), directory))
    add_machine(config, opened.get(), directory, file, trusted_only);
  return config;
}

}  // namespace

std::variant<ConfigFiles, ConfigReadError> read_config_files(const std::string& path, bool trusted_only) {
  try {
    return read_all(path, trusted_only);
  } catch (const Failure& failure) {
    return ConfigReadError{failure.message};
  }
}

}  // namespace whawty
