#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Proof that the virtual hypervisor works, without the daemon: a failure here is the harness's own."""

import argparse
import contextlib
import pathlib
import sys
import tempfile
import time
import unittest
from collections.abc import Iterator

import systems
from guests import Guests, UsbDevice, find_usb, host_usb, hostdev_xml
from hypervisor import CommandFailed, Hypervisor, wait_until
from systems import System


@contextlib.contextmanager
def measured(what: str) -> Iterator[None]:
    """Print how long a block took."""
    started = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - started:.2f} s", file=sys.stderr, flush=True)


class SelfTest(unittest.TestCase):
    hypervisor: Hypervisor
    guests: Guests
    system: System

    @classmethod
    def setUpClass(cls) -> None:
        tree = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (tree / "bin").mkdir()
        (tree / "bin" / "hello there").write_text("#!/bin/sh\necho hello from the tree\n")
        (tree / "bin" / "hello there").chmod(0o755)
        with measured("power-on to agent"):
            cls.hypervisor = cls.enterClassContext(Hypervisor(tree, SelfTest.system))
        cls.guests = Guests(cls.hypervisor)
        with measured("agent to libvirtd ready"):
            cls.guests.await_libvirt()
        with measured("guest start"):
            cls.guests.define("guest")
            cls.guests.start("guest")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.guests.remove_all()

    def plugged(self, serial: str, driver: str = "usb-tablet", **properties: str) -> UsbDevice:
        """Plug a device for the length of one test; what the kernel inside made of it."""
        self.hypervisor.plug(serial, driver, serial=serial, **properties)
        self.addCleanup(self.hypervisor.unplug, serial)
        return find_usb(self.hypervisor, serial)

    def test_commands_give_output_errors_and_status(self) -> None:
        done = self.hypervisor.run("echo out; echo err >&2; exit 3", check=False)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("out\n", "err\n", 3))
        with self.assertRaisesRegex(CommandFailed, "(?s)false: ended with 1"):
            self.hypervisor.run("false")
        with self.assertRaises(TimeoutError):
            self.hypervisor.run("exec sleep 60", timeout=0.2)

    def test_a_command_that_is_out_of_time_goes_with_its_children(self) -> None:
        with self.assertRaises(TimeoutError):
            self.hypervisor.run("sh -c 'sleep 61 & sleep 62 & exec setsid sleep 63' & exec sleep 64", timeout=1.0)
        wait_until(lambda: not self.hypervisor.run("pgrep -fx 'sleep 6[1-4]'", check=False).stdout, 30, "all are gone")

    def test_command_overhead_is_small(self) -> None:
        started = time.monotonic()
        for _ in range(10):
            self.hypervisor.run(":")
        average = (time.monotonic() - started) / 10
        print(f"an empty command: {1000 * average:.0f} ms", file=sys.stderr, flush=True)
        self.assertLess(average, 1.0)

    def test_started_processes_run_on(self) -> None:
        process = self.hypervisor.start("echo ready; exec sleep 60")
        wait_until(lambda: process.output() == "ready\n", 30, "its first line")
        self.assertIsNone(process.wait(timeout=0.1))
        process.kill()
        self.assertEqual(process.wait(), -15)

    def test_files_keep_their_bytes_and_mode(self) -> None:
        content = bytes(range(256)) * 1000
        self.hypervisor.write_file("/run/a file", content, 0o640)
        self.assertEqual(self.hypervisor.read_file("/run/a file"), content)
        self.assertEqual(self.hypervisor.run("stat -c %a '/run/a file'").stdout, "640\n")

    def test_tree_is_mounted_read_only_and_is_roots(self) -> None:
        self.assertEqual(self.hypervisor.run("'/opt/whawty/bin/hello there'").stdout, "hello from the tree\n")
        self.assertEqual(self.hypervisor.run("find /opt/whawty '!' -user root").stdout, "")
        self.assertNotEqual(self.hypervisor.run("touch /opt/whawty/x", check=False).returncode, 0)

    def test_clock_inside_is_this_machines(self) -> None:
        self.assertLess(abs(self.hypervisor.clock_ahead()), 2.0)

    def test_plugged_devices_show_in_lsusb_and_udev_and_go_again(self) -> None:
        self.hypervisor.plug("tablet", serial="TAB1")
        tablet = find_usb(self.hypervisor, "TAB1")
        self.assertEqual((tablet.vendor, tablet.product), (0x0627, 0x0001))
        self.assertIn("0627:0001", self.hypervisor.run(f"lsusb -s {tablet.bus}:{tablet.device}").stdout)
        self.hypervisor.run("udevadm settle")
        self.assertIn("ID_SERIAL_SHORT=TAB1",
                      self.hypervisor.run(f"udevadm info --query=property /sys/bus/usb/devices/{tablet.name}").stdout)
        self.hypervisor.unplug("tablet")
        wait_until(lambda: tablet not in host_usb(self.hypervisor), 30, "the tablet is gone")

    def test_every_kind_of_device_can_be_plugged_twice(self) -> None:
        for driver in ("usb-tablet", "usb-mouse", "usb-kbd", "usb-storage", "usb-serial", "usb-net", "usb-audio",
                       "usb-hub"):
            for attempt in "12":
                with self.subTest(driver=driver, attempt=attempt):
                    serial = f"{driver}-{attempt}"
                    self.hypervisor.plug("device", driver, serial=serial)
                    find_usb(self.hypervisor, serial)
                    self.hypervisor.unplug("device")

    def test_device_behind_a_hub(self) -> None:
        hub = self.plugged("HUB", "usb-hub", port="9")
        self.assertEqual(self.plugged("BEHIND", port="9.4").name, f"{hub.name}.4")

    def test_attach_and_detach(self) -> None:
        tablet = self.plugged("TAB2")
        with measured("virsh attach-device"):
            self.guests.attach("guest", hostdev_xml(tablet, alias="ua-tablet"))
        (hostdev,) = self.guests.hostdevs("guest")
        self.assertEqual((hostdev.bus, hostdev.device, hostdev.vendor, hostdev.product, hostdev.alias),
                         (tablet.bus, tablet.device, 0x0627, 0x0001, "ua-tablet"))
        with measured("virsh detach-device"):
            self.guests.detach("guest", hostdev_xml(tablet))
        wait_until(lambda: not self.guests.hostdevs("guest"), 30, "the guest has given the tablet back")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, epilog="All else is for unittest.")
    systems.add_options(parser, enforcing=True)
    known, others = parser.parse_known_args()
    SelfTest.system = systems.chosen(known)
    unittest.main(argv=[sys.argv[0], *others])
