// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/domain_events.h"

#include <libvirt/libvirt.h>

namespace whawty {

DomainNews news_of(int event, int detail) {
  if (event == VIR_DOMAIN_EVENT_STARTED)
    // Whatever state QEMU takes in, it closes its host devices for: what they did was not in it.
    return {.let_go = detail == VIR_DOMAIN_EVENT_STARTED_RESTORED ||
                      detail == VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT ||
                      detail == VIR_DOMAIN_EVENT_STARTED_MIGRATED};
  if (event == VIR_DOMAIN_EVENT_STOPPED)
    // libvirt says "failed" of a QEMU that ended unasked, "crashed" of a guest that did.
    return {.died = detail == VIR_DOMAIN_EVENT_STOPPED_CRASHED || detail == VIR_DOMAIN_EVENT_STOPPED_FAILED};
  return {};
}

}  // namespace whawty
