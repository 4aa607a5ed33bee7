// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// What the log advises, for errors as libvirt 9.0 and 11.3 and QEMU 7.2 and 10.0 word them.
#include "matcher/said/remedy.h"

#include <gmock/gmock.h>
#include <libvirt/virterror.h>

#include <string>

#include "matcher/said/messages.h"

namespace whawty {
namespace {

using testing::IsEmpty;
using testing::StartsWith;

Result failure(std::int32_t code, const std::string& message) {
  return {1, Outcome::kFailed, code, message, 10};
}

void expect_remedy(const std::string& beginning, std::int32_t code, const std::string& message) {
  EXPECT_THAT(remedy_of(failure(code, message)), StartsWith(beginning)) << message;
}
// QEMU's own words.
void expect_remedy_in_qemu(const std::string& beginning, const std::string& message) {
  expect_remedy(beginning, VIR_ERR_INTERNAL_ERROR,
                "internal error: unable to execute QEMU command 'device_add': " + message);
}

TEST(Remedy, OfTheGuest) {
  expect_remedy("every USB port of the guest", VIR_ERR_INTERNAL_ERROR, "internal error: No free USB ports");
  expect_remedy_in_qemu("every USB port of the guest",
                        "tried to attach usb device QEMU USB Tablet to a bus with no free ports");
  expect_remedy(
      "the guest has no USB controller: ", VIR_ERR_CONFIG_UNSUPPORTED,
      "unsupported configuration: Device configuration is not compatible: Domain has no USB bus support");
  expect_remedy_in_qemu("the guest's USB controller does not have the speed",
                        "Warning: speed mismatch trying to attach usb device \"QEMU USB Tablet\" (super "
                        "speed) to bus \"usb.0\", port \"1\" (high speed)");
  expect_remedy("busy: another operation on the guest", VIR_ERR_OPERATION_TIMEOUT,
                "Timed out during operation: cannot acquire state change lock (held by "
                "monitor=remoteDispatchDomainAttachDeviceFlags)");
  expect_remedy("busy: another operation on the guest", VIR_ERR_OPERATION_FAILED,
                "operation failed: cannot acquire state change lock (held by "
                "monitor=remoteDispatchDomainAttachDeviceFlags) due to max_queued limit");
}

TEST(Remedy, OfTheDevice) {
  expect_remedy("another guest has a device of that number: ", VIR_ERR_OPERATION_INVALID,
                "Requested operation is not valid: USB device 001/005 is in use by driver QEMU, domain b");
  expect_remedy("the device left the host", VIR_ERR_OPERATION_FAILED,
                "operation failed: Did not find USB device 0627:0001 bus:1 device:5");
  expect_remedy_in_qemu("the device left the host", "failed to find host usb device 1:5");
  expect_remedy_in_qemu("QEMU can open the device, but not use it. Most often it is the speed",
                        "failed to open host usb device /dev/bus/usb/001/005");
}

TEST(Remedy, OfQemusRights) {
  // QEMU 7.2, then QEMU 10.0.
  expect_remedy_in_qemu("confinement, or rights: ", "failed to open /dev/bus/usb/001/005: Permission denied");
  expect_remedy_in_qemu("confinement, or rights: ",
                        "Could not open '/dev/bus/usb/001/005': Permission denied");
  expect_remedy_in_qemu("rights: the guest's cgroup",
                        "failed to open /dev/bus/usb/001/005: Operation not permitted");
  expect_remedy_in_qemu("rights: the guest's cgroup",
                        "Could not open '/dev/bus/usb/001/005': Operation not permitted");
  expect_remedy_in_qemu("confinement, or rights: ", "failed to init libusb");
}

TEST(Remedy, OfLibvirtsRights) {
  expect_remedy(
      "confinement: the guest's AppArmor profile", VIR_ERR_INTERNAL_ERROR,
      "internal error: cannot update AppArmor profile 'libvirt-00000000-0000-1234-0000-000000000001'");
  expect_remedy("confinement: SELinux keeps libvirt", VIR_ERR_SYSTEM_ERROR,
                "unable to set security context 'system_u:object_r:svirt_image_t:s0:c1,c2' on "
                "'/dev/bus/usb/001/005': Permission denied");
  expect_remedy("confinement: SELinux keeps libvirt", VIR_ERR_SYSTEM_ERROR,
                "Unable to set SELinux label on /dev/bus/usb/001/005: Permission denied");
  expect_remedy(
      "rights: libvirt may not give", VIR_ERR_SYSTEM_ERROR,
      "unable to set user and group to '64055:64055' on '/dev/bus/usb/001/005': Operation not permitted");
  expect_remedy("rights: libvirt may not give", VIR_ERR_SYSTEM_ERROR,
                "Failed to chown device /dev/bus/usb/001/005: Operation not permitted");
  expect_remedy("rights: the guest's cgroup", VIR_ERR_SYSTEM_ERROR,
                "failed to load cgroup BPF prog: Operation not permitted");
  expect_remedy(
      "rights: the guest's cgroup", VIR_ERR_SYSTEM_ERROR,
      "Unable to write to '/sys/fs/cgroup/devices/machine.slice/devices.allow': Operation not permitted");
}

TEST(Remedy, OfTheActuatorsRights) {
  expect_remedy("libvirt does not permit it: ", VIR_ERR_ACCESS_DENIED, "access denied: 'QEMU' denied access");
  expect_remedy("libvirt does not permit it: ", VIR_ERR_OPERATION_DENIED,
                "operation forbidden: read only access prevents virDomainAttachDeviceFlags");
}

// It is the outcome that says so, not the words of somebody else.
TEST(Remedy, OfADomainThatIsNotInTheListTheOutcomeTells) {
  EXPECT_EQ(failure_text({1, Outcome::kNotListed, 0, "", 10}),
            "the domain is not in the list of those that may be changed: name the domain in the file of "
            "--domains and start the daemon anew");
  const Result words = failure(VIR_ERR_OK, "the domain is not in the list of those that may be changed");
  EXPECT_EQ(failure_text(words), words.message);
}

TEST(Remedy, AnErrorThatIsNotInTheTableHasNone) {
  EXPECT_THAT(remedy_of(failure(VIR_ERR_INTERNAL_ERROR, "internal error: something new")), IsEmpty());
  EXPECT_THAT(remedy_of(failure(VIR_ERR_OPERATION_INVALID,
                                "Requested operation is not valid: domain is not running")),
              IsEmpty());
  EXPECT_THAT(remedy_of(failure(VIR_ERR_OK, "")), IsEmpty());
}

TEST(Remedy, TextThatSeveralErrorsMayHoldCountsWithItsCodeOnly) {
  EXPECT_THAT(remedy_of(failure(VIR_ERR_XML_ERROR, "the name 'is in use by driver' is odd")), IsEmpty());
  EXPECT_THAT(remedy_of(failure(VIR_ERR_INTERNAL_ERROR, "no USB bus support")), IsEmpty());
}

}  // namespace
}  // namespace whawty
