# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the host has not authorized is no guest's.

The interval is an hour: all of this is noticed by events.
"""

import time

from case import Case
from daemon import config, matcher_of
from guests import UsbDevice

_DEVICES = "/sys/bus/usb/devices"
_DEFAULTS = f"for hub in {_DEVICES}/usb*; do echo %d >$hub/authorized_default; done"
_NOT_AUTHORIZED = r"^001/\d+ 0627:0001 serial=ONE port=1-\S+ stays with the host: it is not authorized; machine a wants it"


class AuthorizationCase(Case):
    def setUp(self) -> None:
        """A driver that udev has yet to load comes when it comes, and may take the device back."""
        super().setUp()
        self.hypervisor.run("modprobe usbhid")

    def authorize(self, device: UsbDevice, *values: int) -> None:
        self.hypervisor.run("; ".join(f"echo {value} >{_DEVICES}/{device.name}/authorized" for value in values))

    def driver(self, device: UsbDevice) -> str:
        link = f"{_DEVICES}/{device.name}/{device.name}:1.0/driver"
        return self.hypervisor.run(f"basename $(readlink {link})", check=False).stdout.strip()

    def assert_qemu_has(self, device: UsbDevice) -> None:
        self.assertIn(self.driver(device), ("", "usbfs"))


class Authorization(AuthorizationCase):
    def test_a_device_is_the_guests_only_while_the_host_authorizes_it(self) -> None:
        """As with USBGuard, or where the administrator decides on each device by hand."""
        self.running("a")
        self.addCleanup(self.hypervisor.run, _DEFAULTS % 1)
        self.hypervisor.run(_DEFAULTS % 0)
        self.daemon.start(config(a=matcher_of("ONE")))
        device = self.plug("ONE")
        self.await_said(_NOT_AUTHORIZED)
        self.assert_stays(1, "a")
        began = time.monotonic()
        self.authorize(device, 1)
        self.await_hostdevs("a", device)
        print(f"authorized and served in {time.monotonic() - began:.2f} s", flush=True)
        self.assert_qemu_has(device)
        self.authorize(device, 0)
        self.await_hostdevs("a")
        self.await_said("^detached .* from a: the host does not authorize it")
        self.assertEqual((len(self.said("^attached ")), len(self.said("^detached "))), (1, 1))

    def test_a_foreign_hostdev_that_is_kept_is_kept_without_authorization(self) -> None:
        self.running("a")
        foreign = self.plug("FOREIGN")
        self.attach_by_hand("a", foreign)
        self.daemon.start("foreign-devices: keep\n" + config(a=matcher_of("BARRIER")))
        self.authorize(foreign, 0)
        barrier = self.plug("BARRIER")
        self.await_hostdevs("a", foreign, barrier)
