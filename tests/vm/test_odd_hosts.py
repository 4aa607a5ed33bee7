# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Hosts on which the sealed processes make system calls that they make nowhere else, and serve all the same."""

import pathlib

from case import Case
from daemon import config, rule_of

_CLOCKS = "/sys/devices/system/clocksource/clocksource0"
_MOUNT, _MS_BIND = 165, 0x1000  # mount(2)
# A list of more than 128 KiB: the C library takes memory for that from the kernel, and gives it back.
_MOUNTS, _LONG_NAME = 400, "x" * 200
_VARIABLES = 300  # qsort(3) of Debian 12 asks how much memory there is before it sorts more than 128 pointers
_RULES = "/run/udev/rules.d/00-many.rules"
_DESCRIPTION = 1_000_000  # bytes; all of the XML may have 1 MiB


class OddHosts(Case):
    def test_a_clock_that_only_the_kernel_can_read(self) -> None:
        """As on machines whose processors do not count time alike: nothing is read without a system call then."""
        was, others = self.hypervisor.run(f"cat {_CLOCKS}/current_clocksource {_CLOCKS}/available_clocksource").stdout.splitlines()
        slow = next(name for name in others.split() if name in ("hpet", "acpi_pm", "jiffies"))
        self.addCleanup(self.hypervisor.run, f"echo {was} >{_CLOCKS}/current_clocksource")
        self.hypervisor.run(f"echo {slow} >{_CLOCKS}/current_clocksource")
        self.assert_serves()

    def test_processes_that_were_stopped_for_a_while(self) -> None:
        """As by a host that was suspended, or a frozen control group: waiting goes on."""
        self.running("a")
        self.daemon.start(config("1s", a=rule_of("ONE")))
        self.await_said("^connected to ")
        workers = self.daemon.processes()
        pids = " ".join(map(str, workers.values()))
        for _ in range(3):
            self.hypervisor.run(f"kill -STOP {pids}; sleep 1; kill -CONT {pids}")
        device = self.plug("ONE")
        self.await_hostdevs("a", device)
        self.assertEqual(self.daemon.processes(), workers)

    def test_hundreds_of_mounts_with_long_names(self) -> None:
        """As on a host of containers."""
        self.addCleanup(self.hypervisor.run, "umount -l /mnt/many; rmdir /mnt/many", timeout=60)
        self.hypervisor.run(f"""
            set -e; mkdir /mnt/many; mount -t tmpfs many /mnt/many; mount --make-private /mnt/many; cd /mnt/many
            perl -e 'for (1..{_MOUNTS}) {{
                my ($from, $to, $type) = ("{_LONG_NAME}$_") x 3; mkdir $to;
                syscall({_MOUNT}, $from, $to, $type, {_MS_BIND}, 0) == 0 or die $!;
            }}'""", timeout=60)
        self.assert_serves()

    def test_a_device_with_hundreds_of_variables(self) -> None:
        self.set_variables("1")
        self.running("a")
        self.daemon.start(config(a=f"{{udev: {{env: [{{name: MANY_{_VARIABLES}, equals: '1'}}]}}}}"))
        self.await_hostdevs("a", self.plug("ONE"))

    def test_a_device_with_more_variables_than_can_be_told(self) -> None:
        """150 KiB of them: a rule that asks for one matches nothing, and the others do."""
        self.set_variables("x" * 500)  # udev takes no more
        self.running("a", "b")
        self.daemon.start(config(a="{udev: {env: [{name: MANY_1, pattern: x}]}}", b="{vendor-id: 0x0627}"))
        device = self.plug("ONE")
        self.await_hostdevs("b", device)
        self.await_said(f"^USB device {device.name} is told without its properties and tags")
        self.assert_hostdevs("a")

    def set_variables(self, value: str) -> None:
        """udev gives them to all USB devices from now on."""
        self.addCleanup(self.hypervisor.run, f"rm {_RULES}; udevadm control --reload")
        self.hypervisor.run(f"mkdir -p {pathlib.PurePath(_RULES).parent}")
        self.hypervisor.write_file(_RULES, "".join(
            f'SUBSYSTEM=="usb", ENV{{MANY_{number}}}="{value}"\n' for number in range(1, _VARIABLES + 1)))
        self.hypervisor.run("udevadm control --reload")

    def test_a_guest_whose_xml_is_nearly_as_long_as_can_be(self) -> None:
        self.addCleanup(self.stage.drop_guest, "long")
        self.guests.define("long")
        self.hypervisor.run(f"""
            virsh dumpxml long | perl -pe 's,^(?=  <memory),"<description>" . "x" x {_DESCRIPTION} . "</description>",e' >/run/long.xml
            virsh define /run/long.xml""")
        self.stage.start_guest("long")
        self.assert_serves("long", "1s")

    def assert_serves(self, guest: str = "a", interval: str = "1h") -> None:
        self.running(guest)
        self.daemon.start(config(interval, **{guest: [rule_of("ONE"), rule_of("TWO")]}))
        one = self.plug("ONE")
        self.await_hostdevs(guest, one)
        two = self.plug("TWO")
        self.await_hostdevs(guest, one, two)
        self.unplug("ONE")
        self.await_hostdevs(guest, two)
        self.assertEqual(self.said("starting all"), [])
