# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the host has not authorized is no guest's, and what a driver of the host has taken back is given anew.

The interval is an hour: all of this is noticed by events.
"""

import time

from case import PATIENCE, Case
from daemon import config, rule_of
from guests import UsbDevice
from hypervisor import wait_until

_DEVICES = "/sys/bus/usb/devices"
_DEFAULTS = f"for hub in {_DEVICES}/usb*; do echo %d >$hub/authorized_default; done"
_SECOND = 1.0  # for which a driver of the host may have a guest's device
_NOT_AUTHORIZED = r"^001/\d+ 0627:0001 serial=ONE port=1-\S+ stays with the host: it is not authorized; machine a wants it"


class AuthorizationCase(Case):
    def authorize(self, device: UsbDevice, *values: int) -> None:
        self.hypervisor.run("; ".join(f"echo {value} >{_DEVICES}/{device.name}/authorized" for value in values))

    def driver(self, device: UsbDevice) -> str:
        link = f"{_DEVICES}/{device.name}/{device.name}:1.0/driver"
        return self.hypervisor.run(f"basename $(readlink {link})", check=False).stdout.strip()

    def await_driver_of_host(self, device: UsbDevice) -> None:
        wait_until(lambda: self.driver(device) == "usbhid", PATIENCE, f"usbhid has {device}")

    def assert_qemu_has(self, device: UsbDevice) -> None:
        self.assertIn(self.driver(device), ("", "usbfs"))


class Authorization(AuthorizationCase):
    def test_a_device_is_the_guests_only_while_the_host_authorizes_it(self) -> None:
        """As with USBGuard, or where the administrator decides on each device by hand."""
        self.running("a")
        self.addCleanup(self.hypervisor.run, _DEFAULTS % 1)
        self.hypervisor.run(_DEFAULTS % 0)
        self.daemon.start(config(a=rule_of("ONE")))
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
        self.daemon.start("foreign-devices: keep\n" + config(a=rule_of("BARRIER")))
        self.authorize(foreign, 0)
        barrier = self.plug("BARRIER")
        self.await_hostdevs("a", foreign, barrier)

    def test_an_interface_that_is_not_authorized_is_kept_from_the_guest_by_the_kernel(self) -> None:
        """The guest's BIOS sets up both keyboards, for which QEMU has to claim their interfaces."""
        self.running("a")
        self.addCleanup(self.stage.drop_guest, "a")  # it will not be paused
        whole, barred = self.plug("WHOLE", "usb-kbd"), self.plug("BARRED", "usb-kbd")
        self.hypervisor.run(f"echo 0 >{_DEVICES}/{barred.name}/{barred.name}:1.0/authorized")
        self.daemon.start(config(a=[rule_of("WHOLE"), rule_of("BARRED")]))
        self.await_hostdevs("a", whole, barred)
        self.guests.virsh("resume", "a")
        wait_until(lambda: self.driver(whole) == "usbfs", PATIENCE, "QEMU has claimed what it may")
        self.assert_stays(2, "a", whole, barred)
        self.assertEqual(self.driver(barred), "")


class TakenBack(AuthorizationCase):
    def test_a_device_that_was_authorized_anew_is_given_anew(self) -> None:
        """As at the end of a suspend, and when a controller resets its bus. QEMU and libvirt do not notice."""
        for driver in ("usb-tablet", "usb-kbd"):
            with self.subTest(driver=driver):
                self.running("a")
                self.daemon.start(config(a=rule_of(driver)))
                device = self.plug(driver, driver)
                self.await_hostdevs("a", device)
                since = self.daemon.mark()
                self.authorize(device, 0, 1)
                line = self.daemon.await_line(r"^attached .* to a by a\[0\]", since)
                self.await_hostdevs("a", device)
                self.assert_qemu_has(device)
                why = self.daemon.find("^detached .* from a: the host", since)
                print(f"{driver}: {why[0].text}; {line.text}", flush=True)
                self.assertEqual(len(why), 1)
                self.daemon.stop()
                self.stage.take_all("a")

    def test_a_device_that_a_driver_of_the_host_takes_is_given_anew_after_a_second(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        device = self.plug("ONE")
        self.await_hostdevs("a", device)
        self.hypervisor.run(f"echo {device.name}:1.0 >/sys/bus/usb/drivers/usbhid/bind")
        began = time.monotonic()
        self.assertEqual(self.driver(device), "usbhid")
        self.await_said(r"^detached .* from a: the host's driver had taken it back \(usbhid\)")
        self.assertGreater(time.monotonic() - began, _SECOND * 0.9)
        wait_until(lambda: len(self.said("^attached ")) == 2, PATIENCE, "it is attached again")
        print(f"given anew in {time.monotonic() - began:.2f} s", flush=True)
        self.assert_qemu_has(device)
        self.await_hostdevs("a", device)
        self.assert_stays(2 * _SECOND, "a", device)
        self.assertEqual(len(self.said("^detached ")), 1)

    def test_a_device_that_was_taken_back_while_no_daemon_ran_is_given_anew(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        device = self.plug("ONE")
        self.await_hostdevs("a", device)
        self.daemon.stop()
        self.authorize(device, 0, 1)
        self.await_driver_of_host(device)
        self.daemon.start(config(a=rule_of("ONE")))
        self.await_said("the host's driver had taken it back")
        self.await_hostdevs("a", device)
        wait_until(lambda: len(self.said("^attached ")) == 2, PATIENCE, "it is attached again")
        self.assert_qemu_has(device)
