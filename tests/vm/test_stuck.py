# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Guests that do not answer take no more than their share of libvirt's calls."""

import time

from case import PATIENCE, Case
from daemon import config, rule_of
from hypervisor import wait_until

_STUCK = ("a", "b", "c", "d")
_BUSY = ("b", "c", "d", "e", "f")
_LONG = 45.0  # seconds
_SILENCE = 20.0 + 2.0  # seconds; some for the emulation
_HANG = 2  # attaches that may hang at a time: call_rooms() of the actuator


class Silent(Case):
    def test_a_libvirtd_that_no_longer_answers_is_found_by_keepalive(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        self.await_said("^connected to")
        self.allow_error("^the connection to libvirt is lost: it no longer answers$")
        self.hypervisor.run("systemctl kill --kill-whom=main libvirtd -s STOP")
        self.addCleanup(self.hypervisor.run, "systemctl kill --kill-whom=main libvirtd -s CONT")
        since = time.monotonic()
        wait_until(lambda: self.said("it no longer answers$"), 2 * _SILENCE, "it is said")
        print(f"after {time.monotonic() - since:.1f} s", flush=True)
        self.assertLess(time.monotonic() - since, _SILENCE)
        self.hypervisor.run("systemctl kill --kill-whom=main libvirtd -s CONT")
        self.await_hostdevs("a", self.plug("ONE"))


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

    def test_guests_that_another_client_keeps_busy_keep_nobody_waiting(self) -> None:
        """libvirt 11 describes none of them: for 30 s, which is longer than its client does without a keepalive."""
        self.running("a", *_BUSY)
        self.daemon.start(config("1s", a=[rule_of("ONE"), rule_of("TWO")],
                                 **{guest: rule_of(guest.upper()) for guest in _BUSY}))
        one = self.plug("ONE")
        self.await_hostdevs("a", one)
        workers = self.daemon.processes()
        self.set_stopped(True, _BUSY)
        self.addCleanup(self.set_stopped, False, _BUSY)
        self.hypervisor.run(f"for g in {' '.join(_BUSY)}; do virsh qemu-monitor-command $g --hmp 'info name' "
                            ">/dev/null 2>&1 </dev/null & done")
        self.daemon.reload()  # all are to be described
        time.sleep(_LONG)
        two = self.plug("TWO")
        self.await_hostdevs("a", one, two)
        self.unplug("ONE")
        self.await_hostdevs("a", two)
        self.assertEqual(self.daemon.processes(), workers)
        self.assertEqual(self.said("does not answer|is busy|does not describe|starting all four again"), [])
        self.set_stopped(False, _BUSY)
        late = self.plug("B")
        self.await_hostdevs("b", late)

    def crowd(self) -> None:
        """Guest e has a device; four others are stuck, and as many attaches hang as may."""
        self.running(*_STUCK, "e")
        self.daemon.start(config(**{guest: rule_of(guest.upper()) for guest in _STUCK},
                                 e=[rule_of("EARLY"), rule_of("LATE"), rule_of("LAST")]))
        self.await_hostdevs("e", self.plug("EARLY"))
        self.workers = self.daemon.processes()
        self.set_stopped(True)
        self.addCleanup(self.set_stopped, False)
        serials = [guest.upper() for guest in _STUCK]
        self.devices = dict(zip(_STUCK, self.plug_tablets(*serials)))
        wait_until(lambda: len(self.said("^machine . does not answer")) == _HANG, PATIENCE, "they hang")

    def set_stopped(self, stopped: bool, guests: tuple[str, ...] = _STUCK) -> None:
        pids = " ".join(f"$(cat /run/libvirt/qemu/{guest}.pid)" for guest in guests)
        self.hypervisor.run(f"kill -{'STOP' if stopped else 'CONT'} {pids}")
