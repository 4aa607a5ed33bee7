# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""A device that comes and goes all the time."""

import itertools
import os
import time

from case import Case
from daemon import config, rule_of

_IN_TURN = "{udev: {env: [{name: ID_SERIAL_SHORT, pattern: '^TURN'}]}}"
_PORT = "9"  # of the hypervisor's controller
_MOST_ROUNDS = 30  # a device that is gone before udev has looked at it is not counted: a slow host misses some
_HARM_SECONDS = float(os.environ.get("HARM_SECONDS", 0))  # how long the hub that does harm goes on with it
_BESIDE_SECONDS = 65.0  # between two replugs of the device beside it, which is fewer than one a minute
_QUIET = 60.0  # seconds, at the most, until what is put aside and quiet is taken back after 30


class Flapping(Case):
    def test_a_loose_cable_is_put_aside_and_disturbs_no_other_device(self) -> None:
        self.allow_error("^cannot attach .*LOOSE")  # it may leave again before it is attached
        self.running("a", "b")
        self.daemon.start("max-reconnects: 5\n" + config("1s", a=rule_of("LOOSE"), b=rule_of("FIRM")))
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
        line = self.await_said(put_aside)
        self.assertIn(f"port={loose.name} ", line.text)
        self.await_hostdevs("b", firm)
        self.await_hostdevs("a")
        attached = len(self.said("^attached .*LOOSE"))
        within = [said for said in self.said("^attached .*LOOSE") if line.at - 60 < said.at]  # a slow host takes longer
        self.assertLessEqual(len(within), 6)
        back = self.plug("LOOSE", port=_PORT)
        self.assert_stays(10, "a")
        self.assertEqual(len(self.said("reconnected more than")), 1)
        self.daemon.await_line(rf"^port {back.name} was quiet for 30 s", self.start_of_log, _QUIET)
        self.await_hostdevs("a", back)
        self.assert_hostdevs("b", firm)
        self.assertEqual(len(self.said("^attached .*LOOSE")), attached + 1)

    def test_devices_that_come_at_one_port_of_a_hub_after_the_other_are_put_aside_together(self) -> None:
        self.running("a", "b")
        self.daemon.start("max-reconnects: 1\n" + config("1s", a=_IN_TURN, b=rule_of("FIRM")))
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
        self.await_said(f"^port {hub.name}: what is behind it reconnected more than 4 times within a minute: each port")
        firm = self.plug("FIRM")
        self.await_hostdevs("b", firm)
        self.assert_stays(5, "a")
        self.daemon.await_line(f"^port {hub.name} was quiet for 30 s: what is behind it", self.start_of_log, _QUIET)
        self.await_hostdevs("a", back)
        self.assertEqual(len(self.said("reconnected more than")), 1)

    def test_a_hub_that_does_harm_has_no_port_beside_it_put_aside(self) -> None:
        """Behind the hub that both are plugged into. HARM_SECONDS=600 in the environment makes it go on that long."""
        self.allow_error("^cannot attach .*TURN-")  # a slow host turns so slowly that its ports are quiet in between
        self.running("a", "b")
        self.daemon.start("max-reconnects: 1\n" + config("1s", a=_IN_TURN, b=rule_of("BESIDE")))
        outer, inner = self.plug("OUTER", "usb-hub", port=_PORT), self.plug("INNER", "usb-hub", port=f"{_PORT}.4")
        beside = self.plug("BESIDE", port=f"{_PORT}.1")
        devices = [self.plug(f"TURN-{port}", port=f"{_PORT}.4.{port}") for port in range(1, 6)]
        self.await_hostdevs("a", *devices)
        self.await_hostdevs("b", beside)
        end = time.monotonic() + _HARM_SECONDS
        replugged = 0.0
        for turn in itertools.count():
            port = 1 + turn % 5
            self.pull(f"TURN-{port}", devices[port - 1])
            devices[port - 1] = self.plug(f"TURN-{port}", port=f"{_PORT}.4.{port}")
            aside = self.said(f"^port {inner.name}: what is behind it reconnected more than 4 times")
            self.assertTrue(aside or turn < _MOST_ROUNDS, "the hub that does harm is put aside")
            if aside and time.monotonic() > replugged + _BESIDE_SECONDS:
                self.pull("BESIDE", beside)
                beside = self.plug("BESIDE", port=f"{_PORT}.1")
                self.await_hostdevs("b", beside)
                replugged = time.monotonic()
            if aside and time.monotonic() > end:
                break
        self.assert_hostdevs("b", beside)
        self.assertEqual(self.said(f"^port {outer.name}[: ]"), [])
        self.assertEqual(self.said("BESIDE .* put aside"), [])
