// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/said/remedy.h"

#include <cstdint>

namespace whawty {
namespace {

// https://libvirt.org/html/libvirt-virterror.html#virErrorNumber
constexpr std::int32_t kAny = -1;
constexpr std::int32_t kNotLibvirts = 0;
constexpr std::int32_t kOperationDenied = 29;
constexpr std::int32_t kOperationInvalid = 55;
constexpr std::int32_t kConfigUnsupported = 67;
constexpr std::int32_t kOperationTimeout = 68;
constexpr std::int32_t kAccessDenied = 88;

struct Row {
  std::int32_t code;
  std::string_view part;  // of the message, which is English: the actuator's locale is C
  std::string_view remedy;
};

constexpr std::string_view kNoRight =
    "libvirt does not permit it: the actuator's user must be in group libvirt, or polkit's rules must allow "
    "it";
constexpr std::string_view kNotOpened =
    "QEMU cannot open the device: the guest's USB controller may not have its speed, which a qemu-xhci has; "
    "or "
    "QEMU may not: look for denials of AppArmor or SELinux, and at the rights on its node below /dev/bus/usb";
constexpr std::string_view kVanished =
    "the device left the host or changed its number: if it does so often, look at its cable and power";

// A code where it says enough, text where many errors share a code: QEMU's own come as internal errors.
// Checked with libvirt 9.0 and QEMU 7.2.
constexpr Row kRows[] = {
    {kAny, "No free USB ports",
     "every USB port of the guest is taken: give the guest a controller with more ports, or another one"},
    {kConfigUnsupported, "no USB bus support",
     "the guest has no USB controller: give it one, such as qemu-xhci, and start it anew"},
    {kAny, "speed mismatch",
     "the guest's USB controller does not have the speed of the device: give the guest a controller "
     "qemu-xhci"},
    {kOperationInvalid, "is in use by driver",
     "another guest has a device of that number: detach it there; its device may have left the host long "
     "ago"},
    {kAny, "Did not find USB device", kVanished},
    {kAny, "failed to find host usb device", kVanished},
    {kAccessDenied, "", kNoRight},
    {kOperationDenied, "", kNoRight},
    {kAny, "failed to open host usb device", kNotOpened},
    {kAny, "LIBUSB_ERROR_ACCESS", kNotOpened},
    {kAny, "Permission denied", kNotOpened},
    {kOperationTimeout, "state change lock",
     "another operation on the guest does not end: see `virsh domjobinfo`, and whether its QEMU hangs"},
    {kNotLibvirts, "not in the list of those that may be changed",
     "name the domain in the file of --domains and start the daemon anew"},
};

}  // namespace

std::string_view remedy_of(const Result& failure) {
  for (const Row& row : kRows) {
    const bool code = row.code == kAny || row.code == failure.libvirt_code;
    if (code && failure.message.find(row.part) != std::string::npos) return row.remedy;
  }
  return {};
}

}  // namespace whawty
