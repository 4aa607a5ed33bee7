# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""A device is swapped for another one at any moment between its plug and a while after its attach."""

import os
import random
import time

from case import Case
from daemon import config, rule_of
from guests import find_usb, hostdev_xml
from watcher import State, Watcher

_PULLS, _TURNS = 8, 24
_PORT = "7"
_DEVICE = f"/sys/bus/usb/devices/1-{_PORT}"
_RIGHT, _WRONG = "RIGHT", "WRONG"
_TWINS = ("usb-tablet", "usb-mouse", "usb-kbd")  # vendor and product are the same
_SECONDS = 1.0  # for which a wrong device may be seen in the guest
_DETACHES = 3.0  # or that many times what a detach takes by itself, on a machine that is slower
_LONGEST_GAP = 0.3  # seconds between a pull and the plug behind it

# In bash: pauses without a process, which under emulation takes longer to start than most pauses are.
_PAUSES = """
[ -p /run/swap.tick ] || mkfifo /run/swap.tick
exec 9<>/run/swap.tick
pause() { read -r -t $1 -u 9 || true; }
"""

# Waits until the kernel has set up the device with that serial.
_SET_UP = _PAUSES + f"""
until read -r serial <{_DEVICE}/serial && [ "$serial" = %s ] && [ -e {_DEVICE}/*:1.0 ]; do pause 0.01; done 2>/dev/null
"""

# Lazily, since somebody may be reading it.
_UNCOVER = f"umount --lazy {_DEVICE}/serial"

# Makes the device another one with the same numbers: its serial number changes, and then udev is told. And back.
# Reads two pauses a line: how long it is the right one, and how long the wrong one.
_TURN = _PAUSES + f"""
echo {_WRONG} >/run/swap.serial
while read -r right wrong; do
    {_UNCOVER} 2>/dev/null
    udevadm trigger --action=change {_DEVICE}
    pause $right
    mount --bind /run/swap.serial {_DEVICE}/serial
    udevadm trigger --action=change {_DEVICE}
    pause $wrong
done
"""


class Swaps(Case):
    def test_of_some_dozens_of_swaps_none_leaves_a_wrong_device_in_the_guest(self) -> None:
        seed = int(os.environ.get("SWAPS_SEED", "20261122"))
        print(f"SWAPS_SEED={seed}", flush=True)
        self.random = random.Random(seed)
        self.allow_error("^ALARM: ")
        self.allow_error("^cannot attach .*: the device (became another one|is no longer the one that was meant)")
        self.running("a")
        self.watcher = Watcher(self.hypervisor)
        self.addCleanup(self.watcher.close)
        limit = max(_SECONDS, _DETACHES * self.detach_seconds())
        self.daemon.start("max-reconnects: 0\n" + config(a=rule_of(_RIGHT)))
        self.plug_and_await(_RIGHT, "a")
        self.hypervisor.run(f"touch /run/swap.serial; {self.hypervisor.label_like(_DEVICE + '/serial')} /run/swap.serial")
        self.turns("0.001 0.001\n")
        window = self.attach_seconds()
        self.turns("".join(f"{self.moment(window)} {self.moment(window)}\n" for _ in range(_TURNS)))
        for _ in range(_PULLS):
            self.replug(window)
        wrong = self.seconds_of_wrong()
        print(f"{len(self.watcher.states)} states, {len(self.said('^attached '))} attached, "
              f"{len(self.said('^ALARM: '))} alarms; wrong {len(wrong)} times, for {max(wrong, default=0):.2f} of "
              f"{limit:.2f} s; window {window:.2f} s", flush=True)
        self.assertGreater(len(self.said("^attached ")), 5, "it hardly ever served")
        self.assertGreater(len(wrong), 1, "no swap met an attached device")
        self.assertLessEqual(max(wrong), limit)

    def detach_seconds(self) -> float:
        """From the request until the live XML no longer has the device, by libvirt alone."""
        device = self.plug("FREE")
        self.attach_by_hand("a", device)
        asked = self.watcher.do("sh :").at
        self.guests.detach("a", hostdev_xml(device))
        self.await_hostdevs("a")
        self.unplug("FREE")
        self.watcher.catch_up()
        return next(state.at for state in self.watcher.states if state.at > asked and not holds(state, "FREE")) - asked

    def attach_seconds(self) -> float:
        """From the moment at which the device last became the right one until the guest had it."""
        self.watcher.catch_up()
        states = self.watcher.states
        right = max(number for number, state in enumerate(states) if not has(state, _RIGHT)) + 1
        return next(state.at for state in states[right:] if holds(state, _RIGHT)) - states[right].at

    def seconds_of_wrong(self) -> list[float]:
        """How long it was each time that the guest had a wrong device."""
        self.watcher.catch_up()
        taken, since = [], None
        for state in self.watcher.states:
            if holds(state, _WRONG):
                since = since or state.at
            elif since:
                taken.append(state.at - since)
                since = None
        self.assertIsNone(since, "the wrong one stayed")
        return taken

    def moment(self, window: float) -> str:
        return f"{self.random.uniform(0.001, 1.1 * window):.3f}"

    def turns(self, pauses: str) -> None:
        """The device that is plugged becomes another one and itself again, many times; at the end it is itself."""
        self.hypervisor.run(f"exec bash -c '{_TURN}'", timeout=300, stdin=pauses.encode())
        self.await_hostdevs("a")
        self.hypervisor.run(f"{_UNCOVER}; udevadm trigger --action=change {_DEVICE}")
        self.await_hostdevs("a", find_usb(self.hypervisor, _RIGHT))

    def replug(self, window: float) -> None:
        """The right device is pulled and a twin of other serial is plugged right behind it."""
        self.plug_and_await(_RIGHT, "")
        time.sleep(float(self.moment(window)))
        # First the kernel lets go of it: see Case.pull.
        self.hypervisor.run(f"echo 1 >{_DEVICE}/remove")
        self.empty_port()
        time.sleep(self.random.uniform(0, _LONGEST_GAP))
        self.plug_and_await(_WRONG, "")
        self.await_hostdevs("a")

    def plug_and_await(self, serial: str, guest: str) -> None:
        """Have this device on the port, and if a guest is named, in there."""
        self.empty_port()
        self.stage.plug(serial, self.random.choice(_TWINS), port=_PORT)
        self.hypervisor.run("exec bash", stdin=(_SET_UP % serial).encode())
        if guest:
            self.await_hostdevs(guest, find_usb(self.hypervisor, serial))

    def empty_port(self) -> None:
        for id in list(self.stage.plugged):
            self.stage.unplug(id)


def has(state: State, serial: str) -> bool:
    return any(device.serial == serial for device in state.devices)


def holds(state: State, serial: str) -> bool:
    """The guest has a hostdev with the numbers of a device that now has that serial."""
    return any(device.numbers in state.guests["a"] for device in state.devices if device.serial == serial)
