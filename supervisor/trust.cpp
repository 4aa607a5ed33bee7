// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/trust.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/text.h"

namespace whawty {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> objection(const struct stat& status, const std::string& what) {
  if (status.st_uid != 0 && status.st_uid != ::geteuid())
    return concat(what, " belongs to user ", status.st_uid,
                  ", who is neither root nor the user of this process");
  if ((status.st_mode & S_IWOTH) != 0) return what + " can be written by everybody";
  return std::nullopt;
}

// All folders from that one up to the root.
std::optional<std::string> objection_to_folders(const fs::path& lowest) {
  for (fs::path folder = lowest;; folder = folder.parent_path()) {
    struct stat status {};
    const std::string what = "its folder " + escape(folder.string());
    if (::stat(folder.c_str(), &status) != 0) return what + ": " + std::strerror(errno);
    if (auto found = objection(status, what)) return found;
    if (folder == folder.root_path()) return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> reason_not_to_trust(const Fd& file, const std::string& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return std::string(std::strerror(errno));
  if (auto found = objection(status, "it")) return found;
  std::error_code error;
  const fs::path where = fs::read_symlink(concat("/proc/self/fd/", file.get()), error);
  const fs::path by_path = fs::canonical(fs::absolute(path).parent_path(), error);
  if (error) return "its folders cannot be looked at: " + error.message();
  if (auto found = objection_to_folders(by_path)) return found;
  return objection_to_folders(where.parent_path());
}

}  // namespace whawty
