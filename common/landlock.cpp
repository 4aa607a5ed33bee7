// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include "common/fd.h"

namespace whawty {
namespace {

// struct landlock_ruleset_attr as of ABI 6. Debian 12's header ends with the first member.
struct Ruleset {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

constexpr std::uint64_t kReading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

// What each version of the ABI added; a kernel refuses what it does not know.
constexpr std::uint64_t kFilesAbi1 = (1ULL << 13) - 1;
constexpr std::uint64_t kFilesAbi2 = 1ULL << 13;  // moving between directories
constexpr std::uint64_t kFilesAbi3 = 1ULL << 14;  // truncating
constexpr std::uint64_t kFilesAbi5 = 1ULL << 15;  // ioctl on devices
constexpr std::uint64_t kNetAbi4 = 3;             // bind and connect, TCP
constexpr std::uint64_t kScopeAbi6 = 3;           // abstract Unix sockets, signals

[[noreturn]] void fail(const std::string& step) {
  throw std::system_error(errno, std::generic_category(), "Landlock: " + step);
}

// The version of the ABI, or a negative number without Landlock.
long abi() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

Ruleset everything(long version) {
  Ruleset ruleset{kFilesAbi1, 0, 0};
  if (version >= 2) ruleset.handled_access_fs |= kFilesAbi2;
  if (version >= 3) ruleset.handled_access_fs |= kFilesAbi3;
  if (version >= 4) ruleset.handled_access_net = kNetAbi4;
  if (version >= 5) ruleset.handled_access_fs |= kFilesAbi5;
  if (version >= 6) ruleset.scoped = kScopeAbi6;
  return ruleset;
}

// An older kernel takes a larger structure as long as the members that it does not know are 0.
Fd create(const Ruleset& ruleset) {
  Fd created(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0)));
  if (!created) fail("creating a ruleset");
  return created;
}

void allow_reading(const Fd& ruleset, const char* directory) {
  const Fd opened(::open(directory, O_PATH | O_CLOEXEC));
  // What is not there cannot be read; it may come later, as /run/udev does, and then a fresh process can read
  // it.
  if (!opened && errno == ENOENT) return;
  if (!opened) fail(directory);
  landlock_path_beneath_attr rule{};
  rule.allowed_access = kReading;
  rule.parent_fd = opened.get();
  if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    fail(directory);
}

}  // namespace

bool landlock_is_there() {
  return abi() >= 1;
}

void restrict_files_to(std::span<const char* const> readable_directories) {
  const long version = abi();
  if (version < 1) fail("this kernel does not have it, or has it switched off");
  const Fd ruleset = create(everything(version));
  for (const char* const directory : readable_directories) allow_reading(ruleset, directory);
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) fail("restricting this thread");
}

}  // namespace whawty
