// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/worker.h"

#include <sys/prctl.h>

#include <exception>

#include "common/exit_code.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "protocol/channel.h"

namespace whawty {

int exit_code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const PeerClosed&) {
    return kExitPeerClosed;
  } catch (const Unsealed& error) {
    log::error(error.what());
    return kExitUnsealed;
  } catch (const std::exception& error) {
    log::error(escape(error.what()));
  }
  return kExitFailure;
}

int run_worker(const char* name, const std::function<void()>& work) {
  // It was started by execveat(2) on a descriptor, which leaves a number for a name.
  ::prctl(PR_SET_NAME, name);
  log::start(name);
  return exit_code_of(work);
}

}  // namespace whawty
