# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The daemon's first duty: a matching device is in its guest while it is plugged and the guest runs."""

import time
import xml.etree.ElementTree as ET

from case import PATIENCE, Case
from daemon import config, rule_of
from guests import hostdev_xml
from hypervisor import wait_until


_SETTLED = 3  # seconds after the last change
_QUIET = 10  # seconds


class Plug(Case):
    def _read_by_actuator(self) -> int:
        """Bytes so far. What the matcher sends does not count as read."""
        pid = self.daemon.processes()["actuator"]
        return int(self.hypervisor.run(f"sed -n 's/^rchar: //p' /proc/{pid}/io").stdout)

    def test_a_plugged_device_is_attached_and_a_pulled_one_is_detached(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        stranger, device = self.plug_tablets("OTHER", "ONE")
        self.await_hostdevs("a", device)
        self.unplug("ONE")
        self.await_hostdevs("a")
        self.assertNotIn((stranger.bus, stranger.device), {line[:2] for line in self.holdings("a")})
        self.assertEqual((len(self.said("^attached ")), len(self.said("^detached "))), (1, 1))

    def test_a_hostdev_names_all_four_numbers_and_is_managed_and_not_optional(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        device = self.plug("ONE")
        self.await_hostdevs("a", device)
        (hostdev,) = ET.fromstring(self.guests.virsh("dumpxml", "a").stdout).iterfind("devices/hostdev")
        self.assertEqual((hostdev.get("mode"), hostdev.get("type"), hostdev.get("managed")), ("subsystem", "usb", "yes"))
        source = hostdev.find("source")
        self.assertEqual(source.attrib, {})
        self.assertEqual({child.tag: child.attrib for child in source},
                         {"vendor": {"id": f"0x{device.vendor:04x}"}, "product": {"id": f"0x{device.product:04x}"},
                          "address": {"bus": str(device.bus), "device": str(device.device)}})

    def test_a_device_plugged_before_the_daemon_starts_is_attached(self) -> None:
        self.running("a")
        device = self.plug("EARLY")
        self.daemon.start(config(a=rule_of("EARLY")))
        self.await_hostdevs("a", device)

    def test_a_guest_gets_its_device_when_it_starts_and_until_then_nobody_complains(self) -> None:
        """One machine is off and one does not exist at all."""
        self.guests.define("late")
        self.addCleanup(self.guests.undefine, "late")
        self.daemon.start(config("1s", late=rule_of("WAITS"), nobody=rule_of("WAITS")))
        device = self.plug("WAITS")
        self.await_said("connected to")
        self.assertEqual(self.daemon.complaints(self.start_of_log), [])
        self.daemon.reload(config(late=rule_of("WAITS"), nobody=rule_of("WAITS")))
        self.guests.start("late")
        self.addCleanup(self.guests.destroy, "late")
        self.await_hostdevs("late", device)

    def test_an_interval_has_no_guest_described_of_which_nothing_was_heard(self) -> None:
        """libvirt's list and its XML give a guest the same id, and the actuator reads the list alone."""
        self.running("a")
        self.daemon.start(config("200ms", a=rule_of("ONE")))
        self.await_hostdevs("a", self.plug("ONE"))
        time.sleep(_SETTLED)
        before = self._read_by_actuator()
        time.sleep(_QUIET)
        read = self._read_by_actuator() - before
        described = len(self.guests.virsh("dumpxml", "a").stdout)
        self.assertGreater(read, 0, "there is a list at each interval")
        self.assertLess(read, 10 * described, "of fifty intervals")

    def test_attached_devices_outlive_the_daemon_and_a_restart_doubles_nothing(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("KEPT")))
        device = self.plug("KEPT")
        self.await_hostdevs("a", device)
        self.daemon.stop()
        self.assertEqual((self.daemon.unit_property("ExecMainStatus"), self.daemon.unit_property("Result")), ("0", "success"))
        self.assert_hostdevs("a", device)
        self.daemon.start(config(a=[rule_of("KEPT"), rule_of("BARRIER")]))
        barrier = self.plug("BARRIER")
        self.await_hostdevs("a", device, barrier)

    def test_every_signal_to_end_it_is_a_clean_end(self) -> None:
        self.daemon.configure(config(a=rule_of("ONE")))
        for number in (15, 2):
            with self.subTest(signal=number):
                process = self.daemon.run_by_hand()
                wait_until(lambda: "using the configuration" in process.output(), PATIENCE, "it is up")
                self.hypervisor.run(f"kill -{number} {process.pid}")
                self.assertEqual(process.wait(), 0)


class Definition(Case):
    def inactive(self, guest: str) -> str:
        return self.guests.virsh("dumpxml", guest, "--inactive").stdout

    def test_the_persistent_definition_never_changes(self) -> None:
        self.running("a")
        before = self.inactive("a")
        self.daemon.start(config(a=rule_of("LIVE")))
        device = self.plug("LIVE")
        self.await_hostdevs("a", device)
        self.assertEqual(self.inactive("a"), before)
        self.unplug("LIVE")
        self.await_hostdevs("a")
        self.assertEqual(self.inactive("a"), before)

    def test_hostdevs_in_the_definition_of_a_guest_that_is_off_are_left_alone(self) -> None:
        """Whether the guest's rules match them or not."""
        self.running("a")
        device = self.plug("DEFINED")
        self.guests.define("off", hostdevs=(hostdev_xml(device),))
        self.addCleanup(self.guests.undefine, "off")
        before = self.inactive("off")
        self.daemon.start(config("1s", off=rule_of("NONE"), a=rule_of("BARRIER")))
        self.await_hostdevs("a", self.plug("BARRIER"))
        self.assertEqual(self.inactive("off"), before)
        self.assertEqual(self.daemon.complaints(self.start_of_log), [])
