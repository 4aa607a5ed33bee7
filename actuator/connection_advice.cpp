// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "actuator/connection_advice.h"

#include <libvirt/virterror.h>

#include <cerrno>

namespace whawty {
namespace {

constexpr std::string_view kRights =
    ": the actuator's user must be in libvirt's group, or polkit's rules must allow it: see `id "
    "whawty-usb-actuator`";
constexpr std::string_view kNotThere =
    ": libvirt does not run, or has its socket elsewhere: see `systemctl status libvirtd.socket "
    "virtqemud.socket`";

}  // namespace

std::string_view connection_advice(int code, int system_error) {
  switch (code) {
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_ACCESS_DENIED:
      return kRights;
    case VIR_ERR_SYSTEM_ERROR:
      if (system_error == EACCES) return kRights;
      if (system_error == ENOENT || system_error == ECONNREFUSED) return kNotThere;
      return {};
    default:
      return {};
  }
}

}  // namespace whawty
