# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""A guest whose QEMU dies of a device, played by a signal."""

import time

from case import PATIENCE, Case
from daemon import config, rule_of
from hypervisor import wait_until

_PUT_ASIDE = "^[0-9/]+ 0627:0001 serial=ONE port=[0-9-]+ is put aside for machine a, whose QEMU died twice"

# Kills the guest's QEMU as soon as libvirt's own file about it has an attached hostdev. In bash, without processes.
_DIE_OF = """exec bash -c '
[ -p /run/die.tick ] || mkfifo /run/die.tick
exec 9<>/run/die.tick
cd /run/libvirt/qemu
until [[ $(<a.xml) == *ua-whawty-usb-* ]]; do read -r -t 0.01 -u 9; done 2>/dev/null
kill -%s $(<a.pid)
'"""

# On a slow host libvirt may tell of a death too late for it to count.
_MOST_DEATHS = 8


class Lethal(Case):
    def die_of_it(self, signal: str) -> None:
        """The guest starts, gets the device, and its QEMU dies."""
        dying = self.hypervisor.start(_DIE_OF % signal)
        self.guests.start("a")
        self.assertEqual(dying.wait(PATIENCE), 0)
        wait_until(lambda: "shut off" in self.guests.virsh("domstate", "a").stdout, PATIENCE, "libvirt sees its death")

    def test_a_device_that_a_guest_died_of_twice_is_put_aside_until_it_is_plugged_again(self) -> None:
        self.running("a")
        self.stage.stop_guest("a")
        self.addCleanup(self.stage.forget_guest, "a")
        self.daemon.start(config("1s", a=[rule_of("ONE"), rule_of("BARRIER")]))
        self.plug("ONE")
        self.die_of_it("KILL")
        self.assertEqual(self.said(_PUT_ASIDE), [])
        deaths = 1
        while not self.said(_PUT_ASIDE):
            self.assertLess(deaths, _MOST_DEATHS, "it dies of it again and again")
            self.die_of_it(("SEGV", "KILL")[deaths % 2 == 0])
            deaths += 1
            time.sleep(1)  # for the line to reach the log
        self.stage.start_guest("a")
        barrier = self.plug("BARRIER")
        self.await_hostdevs("a", barrier)
        self.assert_stays(2, "a", barrier)
        self.unplug("ONE")
        self.hypervisor.run("sleep 3.5")
        self.await_hostdevs("a", barrier, self.plug("ONE"))
        self.assertEqual(len(self.said(_PUT_ASIDE)), 1)
