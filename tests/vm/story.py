#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The main job as a story, on the virtual hypervisor and with the example configuration.

    story.py --tree TREE     TREE: the installed daemon (what stands below its prefix), of the hypervisor's release
"""

import argparse
import pathlib
import sys
import time

import systems
from guests import Guests, Hostdev
from hypervisor import TREE_MOUNT, Hypervisor, wait_until

_CONFIG = "/etc/whawty-libvirt-usb-hotplugd/config.yml"
_UNIT = "whawty-libvirt-usb-hotplugd"
_SERIAL = "3187B60"  # of the device that the example gives to its first machine
_FIRST, _SECOND = "webcam-test", "measurement"  # the machines of the example
_SECONDS = 30.0


class Story:
    def __init__(self, hypervisor: Hypervisor, guests: Guests) -> None:
        self._hypervisor = hypervisor
        self._guests = guests
        self._started = time.monotonic()
        self._told = 0

    def tell(self, text: str) -> None:
        print(f"[{time.monotonic() - self._started:5.1f} s] {text}", flush=True)

    def tell_log(self) -> None:
        """What the daemon has logged since it was last told."""
        lines = self._hypervisor.journal(_UNIT).splitlines()
        for line in lines[self._told:]:
            print(f"            | {line}", flush=True)
        self._told = len(lines)

    def start(self) -> None:
        self.tell("the daemon is installed: its users, its unit, and the example configuration")
        unit = f"{TREE_MOUNT}/lib/systemd/system/{_UNIT}.service"
        self._hypervisor.run(
            f"systemd-sysusers {TREE_MOUNT}/lib/sysusers.d/{_UNIT}.conf && mkdir -p {pathlib.Path(_CONFIG).parent} && "
            f"cp {TREE_MOUNT}/share/doc/{_UNIT}/examples/config.yml {_CONFIG} && "
            f"sed 's|^ExecStart=[^ ]*|ExecStart={TREE_MOUNT}/sbin/{_UNIT}|' {unit} >/etc/systemd/system/{_UNIT}.service && "
            f"systemctl daemon-reload && systemctl start {_UNIT}")
        for name in (_FIRST, _SECOND):
            self.tell(f"the guest {name} starts")
            self._guests.define(name)
            self._guests.start(name)
        self.tell_log()

    def plug(self) -> None:
        self.tell(f"a USB device with the serial {_SERIAL} is plugged into the hypervisor")
        self._hypervisor.plug("device", "usb-tablet", serial=_SERIAL)
        self.await_hostdev(_FIRST, True)

    def move(self) -> None:
        self.tell(f"the configuration now says {_SECOND} where it said {_FIRST}; the daemon reloads it")
        self._hypervisor.run(f"sed -i -e 's/{_FIRST}:/aside:/' -e 's/{_SECOND}:/{_FIRST}:/' -e 's/aside:/{_SECOND}:/' "
                             f"{_CONFIG} && systemctl reload {_UNIT}")
        self.await_hostdev(_SECOND, True)
        self.await_hostdev(_FIRST, False)

    def unplug(self) -> None:
        self.tell("the device is unplugged")
        self._hypervisor.unplug("device")
        self.await_hostdev(_SECOND, False)

    def await_hostdev(self, guest: str, there: bool) -> None:
        """Wait until the guest's live XML has the device, or no longer has it, and tell of it."""
        found: list[Hostdev] = wait_until(lambda: (self._guests.hostdevs(guest) if there else
                                                   not self._guests.hostdevs(guest) and [None]),
                                          _SECONDS, f"the device in {guest}" if there else f"no device in {guest}")
        self.tell_log()
        if there:
            self.tell(f"virsh dumpxml {guest}: device {found[0].bus:03}/{found[0].device:03} is in the guest")
        else:
            self.tell(f"virsh dumpxml {guest}: no device in the guest")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tree", type=pathlib.Path, required=True)
    systems.add_options(parser)
    options = parser.parse_args()
    with Hypervisor(options.tree, systems.chosen(options)) as hypervisor:
        guests = Guests(hypervisor)
        guests.await_libvirt()
        story = Story(hypervisor, guests)
        story.start()
        story.plug()
        story.move()
        story.unplug()
        story.tell("that is all; ./run --shell gives you this hypervisor to try things by hand")
    return 0


if __name__ == "__main__":
    sys.exit(main())
