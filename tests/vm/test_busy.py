# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""A device that keeps one of its drivers busy keeps nobody else waiting."""

import time

from case import PATIENCE, Case
from daemon import config, rule_of
from guests import UsbDevice
from hypervisor import wait_until

# The second read takes 24 s. After 30 s the kernel would give up, and QEMU wait for the disk in its turn.
_BYTES, _BYTES_PER_SECOND = 98304, 4096


class Busy(Case):
    def test_a_device_whose_driver_is_busy_keeps_no_other_waiting(self) -> None:
        self.running("a", "b")
        self.daemon.start(config(a=[rule_of("FIRST"), rule_of("OTHER")]))
        first = self.plug("FIRST")
        self.await_hostdevs("a", first)  # QEMU looks at all devices before it takes the first, and would wait, too
        slow = self.plug("SLOW", "usb-storage")
        workers = self.daemon.processes()
        self.keep_busy("SLOW", slow)
        self.daemon.reload()  # all devices are looked at
        self.await_said(f"^USB device {slow.name} does not answer")
        self.stage.plug("OTHER")
        self.await_said("^attached .* serial=OTHER ")
        self.assertTrue(self.is_held(slow), "it was not busy for long enough")
        wait_until(lambda: not self.is_held(slow), 2 * PATIENCE, "its driver has let go of it")
        self.hypervisor.pace(self._ids["SLOW"], 0)
        self.assertEqual(self.daemon.processes(), workers)
        self.daemon.reload(config(a=rule_of("FIRST"), b=rule_of("SLOW")))
        self.await_hostdevs("a", first)
        self.await_hostdevs("b", slow)

    def test_a_scanner_that_is_killed_while_a_device_keeps_it_is_replaced_soon(self) -> None:
        self.running("a")
        self.daemon.start(config(a=[rule_of("FIRST"), rule_of("OTHER")]))
        first = self.plug("FIRST")
        self.await_hostdevs("a", first)
        slow = self.plug("SLOW", "usb-storage")
        self.keep_busy("SLOW", slow)
        self.daemon.reload()
        self.await_said(f"^USB device {slow.name} does not answer")
        scanner = self.daemon.processes()["scanner"]
        self.hypervisor.run(f"kill -KILL {scanner}")
        since = time.monotonic()
        self.stage.plug("OTHER")
        self.await_said("^attached .* serial=OTHER ")
        print(f"served {time.monotonic() - since:.1f} s after the kill", flush=True)
        self.assertTrue(self.is_held(slow), "it was not busy for long enough")
        self.assertTrue(self.said("^the scanner was killed "))  # Linux 6.1 keeps it meanwhile, Linux 6.12 lets it go
        wait_until(lambda: not self.is_held(slow), 2 * PATIENCE, "its driver has let go of it")
        self.hypervisor.pace(self._ids["SLOW"], 0)
        gone = f"test ! -e /proc/{scanner}"
        wait_until(lambda: self.hypervisor.run(gone, check=False).returncode == 0, PATIENCE, "the old one has ended")

    def keep_busy(self, serial: str, device: UsbDevice) -> None:
        """Have its driver taken from it while that waits for an answer. The kernel holds the device's lock then."""
        folder = f"/sys/bus/usb/devices/{device.name}"
        disk = wait_until(lambda: self.hypervisor.run(f"basename $(ls -d {folder}/*:*/host*/target*/*/block/*)",
                                                      check=False).stdout.strip(), PATIENCE, "it is a disk")
        self.hypervisor.run("udevadm settle")
        self.hypervisor.pace(self._ids[serial], _BYTES_PER_SECOND)
        self.hypervisor.start(f"exec dd if=/dev/{disk} of=/dev/null bs={_BYTES} count=2 iflag=direct")
        wait_until(lambda: self.hypervisor.run(f"read -r _ _ _ _ _ _ _ _ busy _ </sys/block/{disk}/stat; echo $busy")
                   .stdout == "1\n", PATIENCE, "it has something to read")
        self.hypervisor.run("sleep 0.5")
        self.hypervisor.start(f"echo -n {device.name}:1.0 >/sys/bus/usb/drivers/usb-storage/unbind")
        wait_until(lambda: self.is_held(device), PATIENCE, "its driver is being taken")

    def is_held(self, device: UsbDevice) -> bool:
        return self.hypervisor.run(f"timeout 0.3 cat /sys/bus/usb/devices/{device.name}/serial",
                                   check=False).returncode != 0
