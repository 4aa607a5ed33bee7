// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What an event in the life of a domain means for its USB devices.
#pragma once

#include "protocol/actuator_to_matcher.h"

namespace whawty {

// Of a virDomainEventType and its detail, as libvirt's callback gives them. Other numbers mean nothing.
// https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainEventType
DomainNews news_of(int event, int detail);

}  // namespace whawty
