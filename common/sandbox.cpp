// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "common/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <system_error>

#include "common/identity.h"
#include "common/landlock.h"

namespace whawty {
namespace {

void check(int result, const char* step) {
  if (result != 0) throw std::system_error(errno, std::generic_category(), step);
}

void limit(__rlimit_resource resource, rlim_t value, const char* step) {
  const rlimit both{value, value};
  check(::setrlimit(resource, &both), step);
}

void forbid_inspection() {
  limit(RLIMIT_CORE, 0, "no core dumps");
  check(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "not dumpable");
}

bool logs_to_a_file() {
  struct stat status = {};
  return ::fstat(STDERR_FILENO, &status) == 0 && S_ISREG(status.st_mode);
}

void limit_resources(const Sandbox& sandbox) {
  if (sandbox.descriptors) limit(RLIMIT_NOFILE, *sandbox.descriptors, "limit of descriptors");
  if (sandbox.memory) limit(RLIMIT_DATA, *sandbox.memory, "limit of memory");
  if (sandbox.may_start_processes) return;
  limit(RLIMIT_NPROC, 0, "no new processes");
  // A limit of 0 forbids to write to files. The log is none under systemd, but may be one elsewhere.
  if (!logs_to_a_file()) limit(RLIMIT_FSIZE, 0, "no file growth");
}

void or_unsealed(const std::function<void()>& steps) {
  try {
    steps();
  } catch (const std::runtime_error& error) {
    throw Unsealed(std::string("sandbox: ") + error.what());
  }
}

}  // namespace

void restrict_thread(const Sandbox& sandbox) {
  or_unsealed([&] {
    keep_capabilities(sandbox.capabilities);
    check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
    if (sandbox.readable) restrict_files_to(*sandbox.readable);
  });
}

void seal_process(const Sandbox& sandbox) {
  or_unsealed([&] {
    forbid_inspection();
    limit_resources(sandbox);
    load_profile(sandbox.profile);
  });
}

void seal(const Sandbox& sandbox) {
  restrict_thread(sandbox);
  seal_process(sandbox);
}

}  // namespace whawty
