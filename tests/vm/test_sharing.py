# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Several guests and one device, or several devices and one port."""

import time

from case import Case
from daemon import config, machine, rule_of
from guests import hostdev_xml

_ANY = "{vendor-id: 0x0627}"
_CANNOT = "cannot attach"


class Conflict(Case):
    def test_a_device_held_by_a_guest_that_is_not_configured_stays_there_and_that_is_said_once(self) -> None:
        self.running("a", "b")
        device = self.plug("HELD")
        self.attach_by_hand("b", device)
        self.daemon.start(config("1s", a=rule_of("HELD")))
        self.await_said("wants .*HELD")
        self.assert_stays(2.5, "b", device)
        self.assert_hostdevs("a")
        self.assertEqual(len(self.said("HELD")), 1)
        self.daemon.reload(config(a=rule_of("HELD")))
        self.guests.detach("b", hostdev_xml(device))
        self.await_hostdevs("a", device)

    def test_the_first_machine_of_the_configuration_gets_the_device_and_that_is_said_once(self) -> None:
        """The order of the file counts, not that of the alphabet."""
        self.running("a", "b")
        device = self.plug("WANTED")
        self.daemon.start(config("1s", b=rule_of("WANTED"), a=_ANY))
        self.await_hostdevs("b", device)
        self.await_said("^machine a also wants .*WANTED")
        self.assert_stays(3, "b", device)
        self.assert_hostdevs("a")
        self.assertEqual((len(self.said("wants")), len(self.said("ttach"))), (1, 1))

    def test_who_holds_a_device_keeps_it_even_if_it_is_not_the_first(self) -> None:
        self.running("a", "b")
        device = self.plug("WANTED")
        self.attach_by_hand("b", device)
        self.daemon.start(config("1s", a=_ANY, b=_ANY))
        self.await_said("^machine a also wants .*WANTED")
        self.assert_stays(2, "b", device)
        self.assertEqual(len(self.said("wants")), 1)

    def test_the_main_file_comes_before_machines_d_and_that_goes_by_name(self) -> None:
        self.running("a", "b")
        device = self.plug("WANTED")
        self.daemon.start(config(b=_ANY), {"a.yml": machine(_ANY)})
        self.await_hostdevs("b", device)
        self.daemon.stop()
        self.unplug("WANTED")
        device = self.plug("WANTED")
        self.daemon.start("{}", {"b.yml": machine(_ANY), "a.yml": machine(_ANY)})
        self.await_hostdevs("a", device)
        self.await_hostdevs("b")

    def test_when_the_holder_stops_the_next_machine_gets_the_device(self) -> None:
        self.running("a")
        self.running("c", ports=4)
        self.daemon.start(config(c=rule_of("PASSED-ON"), a=rule_of("PASSED-ON")))
        device = self.plug("PASSED-ON")
        self.await_hostdevs("c", device)
        self.addCleanup(self.stage.drop_guest, "c")
        self.guests.destroy("c")
        self.await_hostdevs("a", device)


class Move(Case):
    def test_a_reload_moves_a_device_at_the_first_try(self) -> None:
        self.running("a", "b")
        device = self.plug("MOVES")
        self.daemon.start(config(a=rule_of("MOVES")))
        self.await_hostdevs("a", device)
        self.daemon.reload(config(b=rule_of("MOVES"), a=rule_of("NONE")))
        self.await_hostdevs("b", device)
        self.assert_hostdevs("a")
        self.assertEqual(self.daemon.complaints(self.start_of_log), [])

    def test_a_reload_swaps_two_devices_even_where_the_bus_has_room_for_one(self) -> None:
        self.running("a")
        self.running("small", ports=1)
        one, two = self.plug_tablets("ONE", "TWO")
        self.daemon.start(config(a=rule_of("ONE"), small=rule_of("TWO")))
        self.await_hostdevs("small", two)
        self.await_hostdevs("a", one)
        self.daemon.reload(config(a=rule_of("TWO"), small=rule_of("ONE")))
        self.await_hostdevs("small", one)
        self.await_hostdevs("a", two)
        self.assertEqual(self.daemon.complaints(self.start_of_log), [])


class FullBus(Case):
    def test_a_device_without_a_port_is_an_error_once_and_is_served_when_one_is_free(self) -> None:
        self.allow_error(_CANNOT)
        self.running("small", ports=1)
        self.daemon.start(config("1s", small=[rule_of("FIRST"), rule_of("SECOND")]))
        first = self.plug("FIRST")
        self.await_hostdevs("small", first)
        second = self.plug("SECOND")
        self.await_said(f"{_CANNOT}.*SECOND")
        time.sleep(3)
        self.assertEqual(len(self.said("SECOND")), 1)
        self.daemon.reload(config(small=[rule_of("FIRST"), rule_of("SECOND")]))
        self.unplug("FIRST")
        self.await_hostdevs("small", second)

    def test_a_guest_without_usb_is_an_error_once_and_the_others_are_served(self) -> None:
        self.allow_error(_CANNOT)
        self.running("a")
        self.running("bare", controllers=0)
        self.daemon.start(config("1s", bare=rule_of("FOR-BARE"), a=rule_of("FOR-A")))
        _, device = self.plug_tablets("FOR-BARE", "FOR-A")
        self.await_hostdevs("a", device)
        self.await_said(f"{_CANNOT}.*FOR-BARE.* to bare .*(?i:usb)")
        time.sleep(3)
        self.assertEqual(len(self.said("FOR-BARE")), 1)
        self.assert_hostdevs("bare")
