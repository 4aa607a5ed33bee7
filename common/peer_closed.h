// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#pragma once

namespace whawty {

// Thrown when the other end of a channel is closed. Whoever sees it ends: a worker never outlives its peers.
struct PeerClosed {};

}  // namespace whawty
