// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/connection_advice.h"

#include <libvirt/virterror.h>

namespace whawty {
namespace {

constexpr std::string_view kRights =
    ": the gate's user must be in libvirt's group, or polkit's rules must allow it: see `id whawty-usb-gate`";

}  // namespace

std::string_view connection_advice(int code) {
  switch (code) {
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_ACCESS_DENIED:
      return kRights;
    default:
      return {};
  }
}

}  // namespace whawty
