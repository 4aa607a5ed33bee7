# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Hostdevs whose device was not there when libvirt looked for it: QEMU takes any device that it can open for them."""

import time

from case import PATIENCE, Case
from daemon import config, rule_of
from guests import Hostdev, UsbDevice, hostdev_xml
from hypervisor import wait_until

_LIBVIRTD = "systemctl kill --kill-whom=main libvirtd -s"


def of_0_2_0(device: UsbDevice | Hostdev, alias: str) -> str:
    """What version 0.2.0 attached."""
    return hostdev_xml(device, alias).replace("<source>", "<source startupPolicy='optional'>")


class Missing(Case):
    GONE = Hostdev(1, 120, 0x0627, 0x0001)

    def of_qemu(self, guest: str) -> list[str]:
        """The ids of QEMU's usb-host devices, and whether each has a device of the host."""
        said = self.guests.virsh("qemu-monitor-command", guest, "--hmp", "info usb").stdout
        return [line.split("ID: ")[1].strip() + (" without a device" if "USB Host Device" in line else "")
                for line in said.splitlines() if "ID: " in line]

    def test_a_device_that_leaves_before_libvirt_looks_for_it_is_not_attached(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        self.await_said("connected to")
        events = self.hypervisor.start("exec virsh event a --event device-added --loop --timeout 600")
        self.addCleanup(events.kill)
        control = self.plug("CONTROL")
        self.attach_by_hand("a", control)
        wait_until(lambda: "device-added" in events.output(), PATIENCE, "the event of another device")
        self.hypervisor.run(f"{_LIBVIRTD} STOP")
        self.addCleanup(self.hypervisor.run, f"{_LIBVIRTD} CONT")
        device = self.plug("ONE")
        self.hypervisor.run("udevadm settle")
        time.sleep(1)  # the request waits in libvirtd's socket
        self.pull("ONE", device)
        self.hypervisor.run(f"{_LIBVIRTD} CONT")
        again = self.plug("ONE")
        self.await_said("^attached .*ONE")
        self.await_hostdevs("a", again)
        self.assertEqual(events.output().count("ua-whawty-usb-"), 1, "nothing was attached in place of what had left")
        self.assertNotIn("without a device", " ".join(self.of_qemu("a")))
        self.assertEqual(self.said("^ALARM"), [])

    def test_libvirt_refuses_what_the_daemon_asks_for_where_it_took_what_version_0_2_0_asked_for(self) -> None:
        self.running("a")
        refused = self.guests.attach("a", hostdev_xml(self.GONE, "ua-whawty-usb-0000000000000000-1"), check=False)
        self.assertIn("Did not find USB device 0627:0001 bus:1 device:120", refused.stderr)
        self.assert_hostdevs("a")
        self.guests.attach("a", of_0_2_0(self.GONE, "ua-whawty-usb-0000000000000000-2"))
        self.assertEqual(self.of_qemu("a"), ["ua-whawty-usb-0000000000000000-2 without a device"])

    def test_what_version_0_2_0_attached_is_kept_as_it_is_and_detached_when_it_leaves(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        device = self.plug("ONE")
        self.await_hostdevs("a", device)
        alias = self.stage.hostdevs("a")[0].alias
        self.daemon.stop()
        self.stage.take_all("a")
        self.guests.attach("a", of_0_2_0(device, alias))
        self.daemon.start(config("1s", a=[rule_of("ONE"), rule_of("BARRIER")]))
        barrier = self.plug("BARRIER")
        self.await_hostdevs("a", device, barrier)
        self.assertIn(alias, [one.alias for one in self.stage.hostdevs("a")])
        self.assertIn("startupPolicy='optional'", self.stage.virsh.live_xml("a"))
        self.assertEqual(len(self.said("ttached .*ONE")), 1)  # before the upgrade
        self.unplug("ONE")
        self.await_hostdevs("a", barrier)

    def test_what_version_0_2_0_attached_without_its_device_is_detached_with_an_alarm(self) -> None:
        self.allow_error("^ALARM: libvirt gave machine a the hostdev of 001/120 0627:0001")
        self.running("a")
        self.guests.attach("a", of_0_2_0(self.GONE, f"ua-whawty-usb-{0:016x}-1"))
        self.assertEqual(self.of_qemu("a"), [f"ua-whawty-usb-{0:016x}-1 without a device"])
        self.daemon.start(config("1s", a=rule_of("ONE")))
        self.await_hostdevs("a")
        self.assertEqual(self.of_qemu("a"), [])
        device = self.plug("ONE")
        self.await_hostdevs("a", device)
        self.assertEqual(len(self.of_qemu("a")), 1)
        self.assertEqual(len(self.said("^ALARM: ")), 1)
        self.await_said("^detached 001/120 0627:0001 from a: its device was missing, and QEMU takes any ")

    def test_a_saved_guest_whose_device_left_waits_for_the_administrator(self) -> None:
        """As behaviour.md says: he writes the new number into the saved state, or allows that the device is missing."""
        self.allow_error("^ALARM: libvirt gave machine a the hostdev of ")
        self.running("a")
        self.addCleanup(self.stage.forget_guest, "a")
        self.daemon.start(config(a=rule_of("ONE")))
        device = self.plug("ONE")
        for is_there in (True, False):
            with self.subTest(is_there=is_there):
                self.await_hostdevs("a", device)
                self.guests.virsh("managedsave", "a")
                self.unplug("ONE")
                old, device = device, self.plug("ONE")
                refused = self.guests.virsh("start", "a", "--paused", check=False)
                self.assertIn("Did not find USB device", refused.stderr)
                if is_there:
                    self.edit_saved("a", f"device='{old.device}'", f"device='{device.device}'")
                else:
                    self.edit_saved("a", "<source>", "<source startupPolicy='optional'>")
                self.guests.virsh("start", "a", "--paused")
                restored = device if is_there else old
                self.await_said(f"^detached {restored.bus:03}/{restored.device:03} ")
                self.await_hostdevs("a", device)
                self.assertNotIn("without a device", " ".join(self.of_qemu("a")))

    def edit_saved(self, guest: str, old: str, new: str) -> None:
        """As virsh managedsave-edit does it."""
        saved = self.guests.virsh("managedsave-dumpxml", guest).stdout
        self.assertEqual(saved.count(old), 1, saved)
        self.hypervisor.write_file("/run/saved.xml", saved.replace(old, new))
        self.guests.virsh("managedsave-define", guest, "/run/saved.xml", "--paused")
