# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Hostdevs that somebody else attached, detached or left behind."""

import time

from case import PATIENCE, Case, numbers
from daemon import config, rule_of
from guests import UsbDevice, host_usb, hostdev_xml
from hypervisor import wait_until

_TABLET = "{vendor-id: 0x0627}"
_TABLET_IDS = (0x0627, 0x0001)


def optional_hostdev(vendor: int, product: int) -> str:
    """For a definition: the guest starts without the device, too."""
    return ("<hostdev mode='subsystem' type='usb' managed='yes'><source startupPolicy='optional'>"
            f"<vendor id='0x{vendor:04x}'/><product id='0x{product:04x}'/></source></hostdev>")


class Foreign(Case):
    def test_what_somebody_detaches_is_attached_again_at_once(self) -> None:
        self.running("a")
        device = self.plug("BACK")
        self.daemon.start(config(a=rule_of("BACK")))
        self.await_hostdevs("a", device)
        self.guests.detach("a", hostdev_xml(device))
        wait_until(lambda: len(self.said("^attached .*BACK")) == 2, PATIENCE, "a second attach")
        self.await_hostdevs("a", device)

    def test_what_somebody_attaches_against_the_rules_is_detached_at_once(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("OURS")))
        ours, theirs = self.plug_tablets("OURS", "THEIRS")
        self.await_hostdevs("a", ours)
        self.attach_by_hand("a", theirs)
        self.await_said("^detached .*THEIRS")
        self.await_hostdevs("a", ours)

    def test_all_forms_of_a_hostdev_that_matches_are_kept_as_they_are(self) -> None:
        """By address, by vendor and product, by all: none is doubled, none is detached."""
        self.running("a")
        full, address = self.plug_tablets("FULL", "ADDRESS")
        ids = self.plug("IDS", "usb-storage")
        self.attach_by_hand("a", full)
        self.attach_by_hand("a", address, ids=False)
        self.attach_by_hand("a", ids, address=False)
        before = self.holdings("a")
        self.daemon.start(config("1s", a=[_TABLET, rule_of("IDS")]))
        barrier = self.plug("BARRIER")
        self.await_said("^attached .*BARRIER")
        time.sleep(2)
        self.assertEqual(self.holdings("a"), sorted([*before, numbers(barrier)], key=repr))
        self.assertEqual(len(self.said("ttached")), 1)

    def test_all_forms_of_a_hostdev_that_matches_no_rule_are_detached(self) -> None:
        self.running("a")
        full, address = self.plug_tablets("FULL", "ADDRESS")
        ids = self.plug("IDS", "usb-storage")
        self.attach_by_hand("a", full)
        self.attach_by_hand("a", address, ids=False)
        self.attach_by_hand("a", ids, address=False)
        self.daemon.start(config(a=rule_of("OURS")))
        self.await_hostdevs("a")
        self.await_hostdevs("a", self.plug("OURS"))

    def test_guests_that_are_not_configured_keep_what_they_have(self) -> None:
        self.running("a", "b")
        self.daemon.start(config(a=rule_of("OURS")))
        theirs = self.plug("THEIRS")
        self.attach_by_hand("b", theirs)
        self.await_hostdevs("a", self.plug("OURS"))
        self.assert_hostdevs("b", theirs)
        self.unplug("THEIRS")
        self.unplug("OURS")
        self.await_hostdevs("a")
        self.assert_hostdevs("b", theirs)  # gone from the host, and yet none of our business

    def test_usb_devices_that_are_no_hostdevs_are_left_alone(self) -> None:
        """A redirected device and an emulated one, in a guest none of whose hostdevs may stay."""
        self.running("c", ports=4)
        self.addCleanup(self.stage.drop_guest, "c")
        for xml in ("<redirdev bus='usb' type='tcp'><source mode='bind' host='localhost' service='4000'/></redirdev>",
                    "<input type='tablet' bus='usb'/>"):
            self.guests.attach("c", xml)
        self.daemon.start(config("1s", c=rule_of("OURS")))
        theirs, ours = self.plug_tablets("THEIRS", "OURS")
        self.await_hostdevs("c", ours)
        self.attach_by_hand("c", theirs)
        self.await_said("^detached .*THEIRS")
        xml = self.stage.virsh.live_xml("c")
        self.assertIn("<redirdev bus='usb' type='tcp'>", xml)
        self.assertIn("<input type='tablet' bus='usb'>", xml)

    def test_a_hostdev_whose_device_was_missing_at_the_guests_start_disturbs_nobody(self) -> None:
        """libvirt keeps it in the live XML, marked as missing, and QEMU has a usb-host that takes any device."""
        self.start_odd(0x1234, 0x5678)
        self.running("a")
        self.daemon.start(config("1s", odd=rule_of("FOR-ODD"), a=rule_of("FOR-A")))
        for_odd, for_a = self.plug_tablets("FOR-ODD", "FOR-A")
        self.await_hostdevs("a", for_a)
        self.await_hostdevs("odd", for_odd)
        self.assertEqual(len(self.said("^detached 1234:5678 from odd: its device was missing, and QEMU takes any ")), 1)
        of_qemu = self.guests.virsh("qemu-monitor-command", "odd", "--hmp", "info usb").stdout
        self.assertEqual(of_qemu.count("ID: "), 1, of_qemu)

    def test_a_hostdev_of_a_missing_device_in_a_guest_that_is_not_configured_keeps_it_from_nobody(self) -> None:
        self.start_odd(*_TABLET_IDS)
        self.running("a")
        self.daemon.start(config("1s", a=_TABLET))
        device = self.plug("LATER")
        self.assertEqual((device.vendor, device.product), _TABLET_IDS)
        self.await_hostdevs("a", device)
        self.assertEqual(self.holdings("odd"), [(None, None, *_TABLET_IDS)])
        self.assertEqual(self.said("stays with"), [])

    def test_a_machine_that_keeps_the_hostdev_of_a_missing_device_gets_it_when_it_is_plugged(self) -> None:
        self.start_odd(*_TABLET_IDS)
        self.daemon.start("foreign-devices: keep\n" + config("1s", odd=_TABLET))
        device = self.plug("LATER")
        self.await_odd(device)
        self.unplug("LATER")
        self.await_odd()
        self.await_odd(self.plug("AGAIN"))
        self.assertEqual(len(self.said("^machine odd keeps the hostdev of 0627:0001, whose device was missing: QEMU ")), 1)

    def start_odd(self, vendor: int, product: int) -> None:
        """A guest that has a hostdev of such a device, which was missing when it started."""
        self.guests.define("odd", hostdevs=(optional_hostdev(vendor, product),))
        self.addCleanup(self.guests.undefine, "odd")
        wait_until(lambda: all((one.vendor, one.product) != (vendor, product) for one in host_usb(self.hypervisor)),
                   PATIENCE, "the kernel has forgotten what was pulled before")
        self.guests.start("odd")
        self.addCleanup(self.guests.destroy, "odd")
        self.assertRegex(self.stage.virsh.live_xml("odd"), r"<source startupPolicy='optional' missing='yes'>\s*<vendor")

    def await_odd(self, *devices: UsbDevice) -> None:
        """The guest comes to have these devices, beside the hostdev of the missing one."""
        wanted = sorted([(None, None, *_TABLET_IDS), *map(numbers, devices)], key=repr)
        wait_until(lambda: self.holdings("odd") == wanted or None, PATIENCE, f"odd has exactly {wanted}", 0.2)

    def test_a_device_that_took_the_numbers_of_another_while_the_daemon_was_dead_is_attached_anew(self) -> None:
        """The alias in the live XML tells which one the hostdev was made for."""
        self.running("a")
        device = self.plug("SECOND")
        alias_of_first = f"ua-whawty-usb-{0:016x}-1"
        self.guests.attach("a", hostdev_xml(device, alias=alias_of_first))
        self.daemon.start(config(a=rule_of("SECOND")))
        line = self.await_said("^attached .*SECOND.* to a ")
        self.assert_hostdevs("a", device)
        self.assertNotEqual(self.stage.hostdevs("a")[0].alias, alias_of_first, line.text)
        self.assertEqual(len(self.said("^detached .* from a: it left")), 1)


class Keep(Case):
    """foreign-devices: keep."""

    KEEP = "foreign-devices: keep\n"

    def aliases(self, guest: str) -> dict[int | None, str]:
        """By device number."""
        return {hostdev.device: hostdev.alias or "" for hostdev in self.stage.hostdevs(guest)}

    def test_what_somebody_else_attached_stays_and_its_own_are_known_after_a_restart(self) -> None:
        self.running("a")
        ours, theirs = self.plug_tablets("OURS", "THEIRS")
        self.attach_by_hand("a", theirs)
        self.daemon.start(self.KEEP + config("1s", a=rule_of("OURS")))
        self.await_hostdevs("a", ours, theirs)
        self.assertRegex(self.aliases("a")[ours.device], "^ua-whawty-usb-[0-9a-f]{16}-[0-9]+$")
        self.assert_stays(2, "a", ours, theirs)
        self.daemon.stop()
        self.daemon.start(self.KEEP + config("1s", a=rule_of("NOBODY")))
        self.await_hostdevs("a", theirs)
        self.unplug("THEIRS")
        self.assert_stays(2, "a", theirs)
        self.assertEqual(len(self.said("^machine a keeps the hostdev of .*0627:0001, whose device left the host, or ")), 1)
        self.daemon.reload(config("1s", a=rule_of("NOBODY")))
        self.await_hostdevs("a")

    def test_what_is_kept_is_attached_to_nobody_else(self) -> None:
        self.running("a", "b")
        device = self.plug("BOTH")
        self.attach_by_hand("a", device)
        self.daemon.start(self.KEEP + config("1s", a=rule_of("NOBODY"), b=rule_of("BOTH")))
        self.await_said("^machine b also wants .*BOTH.* stays with a")
        self.assert_stays(2, "a", device)
        self.assert_hostdevs("b")

    def test_a_device_comes_and_goes_as_often_as_it_likes(self) -> None:
        """No alias is given twice, which libvirt would refuse."""
        self.running("a", "b")
        device = self.plug("MOVES")
        self.daemon.start(config(a=rule_of("MOVES")))
        seen = set()
        for guest in ("a", "b", "a", "b"):
            self.daemon.reload(config(**{guest: rule_of("MOVES"), {"a": "b", "b": "a"}[guest]: rule_of("NOBODY")}))
            self.await_hostdevs(guest, device)
            seen.add(self.aliases(guest)[device.device])
        self.assertEqual(len(seen), 4)


class Stale(Case):
    def setUp(self) -> None:
        super().setUp()
        # The kernel begins to number from the start: the same numbers come again without 127 plugs.
        self.renumber = ("cd /sys/bus/pci/drivers/xhci_hcd && for c in 0000:*; do "
                         "echo $c >unbind; echo $c >bind; done; udevadm settle")
        self.hypervisor.run(self.renumber)

    def left_behind(self, *rules: str) -> tuple[int, int]:
        """Let a guest have the hostdev of a device that was pulled while the daemon was dead; its numbers."""
        self.running("a")
        self.daemon.start(config(a=list(rules)))
        device = self.plug("PULLED")
        self.await_hostdevs("a", device)
        self.hypervisor.run("systemctl kill -s KILL --kill-whom=all whawty-libvirt-usb-hotplugd; "
                            "systemctl stop whawty-libvirt-usb-hotplugd")
        self.unplug("PULLED")
        self.assert_hostdevs("a", device)
        return device.bus, device.device

    def test_a_device_pulled_while_the_daemon_was_dead_is_detached_at_its_start(self) -> None:
        self.left_behind(rule_of("PULLED"))
        self.daemon.start(config(a=rule_of("PULLED")))
        self.await_hostdevs("a")
        self.await_hostdevs("a", self.plug("PULLED"))

    def test_a_stranger_that_got_the_numbers_of_a_pulled_device_does_not_stay_in_the_guest(self) -> None:
        for driver in ("usb-tablet", "usb-mouse"):  # the same vendor and product
            with self.subTest(driver=driver):
                place = self.left_behind(rule_of("PULLED"))
                self.hypervisor.run(self.renumber)
                stranger = self.plug("STRANGER", driver)
                self.assertEqual((stranger.bus, stranger.device), place)
                self.daemon.start(config(a=rule_of("PULLED")))
                self.await_hostdevs("a")
                self.unplug("STRANGER")
                self.hypervisor.run(self.renumber)
                self.daemon.stop()
