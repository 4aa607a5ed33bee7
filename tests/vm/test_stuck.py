# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Guests that do not answer take no more than their share of libvirt's calls."""

import time

from case import PATIENCE, Case
from daemon import config, matcher_of
from hypervisor import wait_until

_STUCK = ("a", "b", "c", "d")
_HANG = 2  # attaches that may hang at a time: call_rooms() of the actuator


class Stuck(Case):
    def test_a_device_leaves_its_guest_at_once_while_attaches_to_four_others_hang(self) -> None:
        self.crowd()
        since = time.monotonic()
        self.unplug("EARLY")
        self.await_hostdevs("e")
        print(f"detached after {time.monotonic() - since:.1f} s", flush=True)
        self.set_stopped(False)
        late = self.plug("LATE")
        for guest in _STUCK:
            self.await_hostdevs(guest, self.devices[guest])
        self.await_hostdevs("e", late)
        self.assertEqual(self.daemon.processes(), self.workers)

    def crowd(self) -> None:
        """Guest e has a device; four others are stuck, and as many attaches hang as may."""
        self.running(*_STUCK, "e")
        self.daemon.start(config(**{guest: matcher_of(guest.upper()) for guest in _STUCK},
                                 e=[matcher_of("EARLY"), matcher_of("LATE"), matcher_of("LAST")]))
        self.await_hostdevs("e", self.plug("EARLY"))
        self.workers = self.daemon.processes()
        self.set_stopped(True)
        self.addCleanup(self.set_stopped, False)
        serials = [guest.upper() for guest in _STUCK]
        self.devices = dict(zip(_STUCK, self.plug_tablets(*serials)))
        wait_until(lambda: len(self.said("^machine . does not answer")) == _HANG, PATIENCE, "they hang")

    def set_stopped(self, stopped: bool) -> None:
        pids = " ".join(f"$(cat /run/libvirt/qemu/{guest}.pid)" for guest in _STUCK)
        self.hypervisor.run(f"kill -{'STOP' if stopped else 'CONT'} {pids}")
