// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "supervisor/worker_end.h"

#include <signal.h>
#include <sys/wait.h>

#include <cstring>

#include "common/exit_code.h"
#include "common/text.h"

namespace whawty {

WorkerEnd end_of(int status, bool killed_by_us) {
  if (WIFEXITED(status)) {
    const int code = WEXITSTATUS(status);
    return {code == kExitUnsealed, code == kExitPeerClosed ? "" : concat("ended with exit code ", code)};
  }
  const int signal = WTERMSIG(status);
  if (killed_by_us && signal == SIGKILL) return {};
  if (signal == SIGSYS) return {false, "was killed by its seccomp profile (SIGSYS)"};
  return {false, concat("was killed by signal ", signal, " (", ::strsignal(signal), ')')};
}

}  // namespace whawty
