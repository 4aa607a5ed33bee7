# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""A device that comes and goes all the time."""

from case import Case
from daemon import config, matcher_of

_IN_TURN = "{udev: {env: [{name: ID_SERIAL_SHORT, pattern: '^TURN'}]}}"
_PORT = "9"  # of the hypervisor's controller
_MOST_ROUNDS = 30  # a device that is gone before udev has looked at it is not counted: a slow host misses some
_QUIET = 60.0  # seconds, at the most, until what is put aside and quiet is taken back after 30


class Flapping(Case):
    def test_a_loose_cable_is_put_aside_and_disturbs_no_other_device(self) -> None:
        self.allow_error("^cannot attach .*LOOSE")  # it may leave again before it is attached
        self.running("a", "b")
        self.daemon.start("max-reconnects: 5\n" + config("1s", a=matcher_of("LOOSE"), b=matcher_of("FIRM")))
        firm = None
        # Without its serial, if the device had left before that was read.
        put_aside = r"^\S+ 0627:0001 .* reconnected more than 5 times within a minute: it is put aside"
        for round in range(_MOST_ROUNDS):
            loose = self.plug("LOOSE", port=_PORT)
            if round == 7:
                firm = self.plug("FIRM")
            if round < 3:
                self.await_hostdevs("a", loose)
            self.pull("LOOSE", loose)
            if firm and self.said(put_aside):
                break
        self.assertIn(f"port={loose.name} ", self.await_said(put_aside).text)
        self.await_hostdevs("b", firm)
        self.await_hostdevs("a")
        attached = len(self.said("^attached .*LOOSE"))
        self.assertIn(attached, range(3, 7))
        back = self.plug("LOOSE", port=_PORT)
        self.assert_stays(10, "a")
        self.assertEqual(len(self.said("reconnected more than")), 1)
        self.daemon.await_line(rf"^port {back.name} was quiet for 30 s", self.start_of_log, _QUIET)
        self.await_hostdevs("a", back)
        self.assert_hostdevs("b", firm)
        self.assertEqual(len(self.said("^attached .*LOOSE")), attached + 1)

    def test_devices_that_come_at_one_port_of_a_hub_after_the_other_are_put_aside_together(self) -> None:
        self.running("a", "b")
        self.daemon.start("max-reconnects: 1\n" + config("1s", a=_IN_TURN, b=matcher_of("FIRM")))
        hub = self.plug("HUB", "usb-hub", port=_PORT)
        for turn in range(8):  # of which four are reconnects
            serial = f"TURN-{turn}"
            device = self.plug(serial, port=f"{_PORT}.{1 + turn % 4}")
            self.await_hostdevs("a", device)
            self.pull(serial, device)
        first = self.plug("TURN-first", port=f"{_PORT}.5")
        self.await_hostdevs("a", first)
        self.pull("TURN-first", first)
        self.await_hostdevs("a")
        back = self.plug("TURN-again", port=f"{_PORT}.5")
        self.await_said(f"^port {hub.name}: what is behind it reconnected more than 4 times within a minute: all of it is")
        firm = self.plug("FIRM")
        self.await_hostdevs("b", firm)
        self.assert_stays(5, "a")
        self.daemon.await_line(f"^port {hub.name} was quiet for 30 s: what is behind it", self.start_of_log, _QUIET)
        self.await_hostdevs("a", back)
        self.assertEqual(len(self.said("reconnected more than")), 1)
