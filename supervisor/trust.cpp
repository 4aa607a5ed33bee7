// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/trust.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>

#include "common/text.h"

namespace whawty {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxLinks = 40;  // as the kernel follows

std::optional<std::string> objection(const struct stat& status, const std::string& what,
                                     const std::string& path) {
  if (status.st_uid != 0 && status.st_uid != ::geteuid())
    return concat(what, " belongs to user ", status.st_uid,
                  ", who is neither root nor the user of this process (chown root ", escape(path), ')');
  if ((status.st_mode & S_IWOTH) == 0) return std::nullopt;
  // As /tmp is: it has to stay so.
  if (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0)
    return concat(what, " is for everybody to write to (keep the configuration in another one)");
  return concat(what, " can be written by everybody (chmod o-w ", escape(path), ')');
}

std::string name_of(const fs::path& folder, const fs::path& link) {
  const std::string name = "its folder " + escape(folder.string());
  return link.empty() ? name : concat(name, ", to which the link ", escape(link.string()), " leads,");
}

// Goes the way of an absolute path, name by name and through each symbolic link: whoever may write to a
// folder that a name or a link is looked up in decides where the way ends. What is wrong with the first such
// folder.
std::optional<std::string> objection_to_way(const fs::path& path) {
  std::deque<fs::path> rest(path.begin(), path.end());
  fs::path here;  // the folder that has been reached: no link, and looked at
  fs::path link;  // the last one that was followed
  for (int links = 0; !rest.empty();) {
    const fs::path name = rest.front();
    rest.pop_front();
    if (name == "..") here = here.parent_path();
    if (name.empty() || name == "." || name == "..") continue;
    const fs::path next = name.is_absolute() ? name.root_path() : here / name;
    struct stat status = {};
    if (::lstat(next.c_str(), &status) != 0) return escape(next.string()) + ": " + std::strerror(errno);
    if (S_ISLNK(status.st_mode)) {
      std::error_code error;
      const fs::path target = fs::read_symlink(next, error);
      if (error) return escape(next.string()) + ": " + error.message();
      if (++links > kMaxLinks) return concat("more than ", kMaxLinks, " symbolic links lead to it");
      rest.insert(rest.begin(), target.begin(), target.end());
      link = next;
    } else if (S_ISDIR(status.st_mode)) {
      if (auto found = objection(status, name_of(next, link), next.string())) return found;
      here = next;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> reason_not_to_trust(const Fd& file, const std::string& path) {
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return std::string(std::strerror(errno));
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  if (error) return "its folder cannot be found: " + error.message();
  // Whoever could have led the path elsewhere when the file was opened has a folder on the way now, too.
  if (auto found = objection_to_way(absolute)) return found;
  return objection(status, "it", path);
}

}  // namespace whawty
