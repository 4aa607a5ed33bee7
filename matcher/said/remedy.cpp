// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/said/remedy.h"

#include <cstdint>

#include "matcher/known/libvirt_errors.h"

namespace whawty {
namespace {

constexpr std::int32_t kAny = -1;

struct Row {
  std::int32_t code;
  std::string_view part;  // of the message, where libvirtd speaks English
  std::string_view also;  // another part of it
  std::string_view remedy;
};

constexpr std::string_view kFull =
    "every USB port of the guest is taken: give the guest a controller with more ports, or another one";
constexpr std::string_view kNoRight =
    "libvirt does not permit it: the actuator's user must be in group libvirt, or polkit's rules must allow "
    "it: see "
    "`id whawty-usb-actuator`, and `journalctl -b -u polkit`";
constexpr std::string_view kDenied =
    "confinement, or rights: AppArmor or SELinux keeps QEMU from the device if `journalctl -kb -g "
    "'avc|apparmor'` has a "
    "denial of now; if not, see dynamic_ownership, user and group in /etc/libvirt/qemu.conf";
constexpr std::string_view kProfile =
    "confinement: the guest's AppArmor profile could not be written or loaded: see `journalctl -b -g "
    "'virt-aa-helper|apparmor'`";
constexpr std::string_view kLabel =
    "confinement: SELinux keeps libvirt from giving the device the guest's label: see `ausearch -m AVC -ts "
    "recent`";
constexpr std::string_view kNode =
    "rights: libvirt may not give the device's node to QEMU's user: see `ls -l /dev/bus/usb/*`, and whether "
    "libvirtd runs "
    "in a container";
constexpr std::string_view kGroup =
    "rights: the guest's cgroup may not use the device: see `systemctl show -p DevicePolicy,DeviceAllow "
    "machine.slice`, and cgroup_controllers in /etc/libvirt/qemu.conf";
constexpr std::string_view kNotUsed =
    "QEMU can open the device, but not use it. Most often it is the speed: a controller qemu-xhci has each. "
    "The guest's "
    "file in /var/log/libvirt/qemu says what it is";
constexpr std::string_view kVanished =
    "the device left the host or changed its number: if it does so often, look at its cable and power";
constexpr std::string_view kBusy =
    "busy: another operation on the guest does not end: see `virsh domjobinfo`, and whether its QEMU hangs";

// A code where it says enough, text where many errors share a code: QEMU's own come as internal errors. The
// texts of libvirt 9.0 and 11.3, and of QEMU 7.2 and 10.0.
constexpr Row kRows[] = {
    {kAny, "No free USB ports", "", kFull},
    {kAny, "to a bus with no free ports", "", kFull},
    {libvirt_error::kConfigUnsupported, "no USB bus support", "",
     "the guest has no USB controller: give it one, such as qemu-xhci, and start it anew"},
    {kAny, "speed mismatch", "",
     "the guest's USB controller does not have the speed of the device: give the guest a controller "
     "qemu-xhci"},
    {libvirt_error::kOperationInvalid, "is in use by driver", "",
     "another guest has a device of that number: detach it there; its device may have left the host long "
     "ago"},
    {kAny, "Did not find USB device", "", kVanished},
    {kAny, "failed to find host usb device", "", kVanished},
    {libvirt_error::kAccessDenied, "", "", kNoRight},
    {libvirt_error::kOperationDenied, "", "", kNoRight},
    {kAny, "AppArmor profile", "", kProfile},
    {libvirt_error::kSystemError, "unable to set security context", "", kLabel},
    {libvirt_error::kSystemError, "Unable to set SELinux label", "", kLabel},
    {libvirt_error::kSystemError, "unable to set user and group", "", kNode},
    {libvirt_error::kSystemError, "Failed to chown device", "", kNode},
    {kAny, "cgroup BPF", "", kGroup},
    {kAny, "devices.allow", "", kGroup},
    {kAny, "/dev/bus/usb/", "Operation not permitted", kGroup},
    {kAny, "/dev/bus/usb/", "Permission denied", kDenied},
    {kAny, "failed to init libusb", "", kDenied},
    {kAny, "failed to open host usb device", "", kNotUsed},
    {libvirt_error::kOperationTimeout, "state change lock", "", kBusy},
    {libvirt_error::kOperationFailed, "state change lock", "", kBusy},
};

}  // namespace

std::string_view remedy_of(const Result& failure) {
  for (const Row& row : kRows) {
    const bool code = row.code == kAny || row.code == failure.libvirt_code;
    const auto has = [&](std::string_view part) { return failure.message.find(part) != std::string::npos; };
    if (code && has(row.part) && has(row.also)) return row.remedy;
  }
  return {};
}

}  // namespace whawty
