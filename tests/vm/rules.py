# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the documented rules say about who has which device: a second opinion, in few words, on what the daemon did."""

import dataclasses
from collections import Counter
from collections.abc import Mapping

from daemon import config, rule_of
from watcher import Plugged, State

WORKERS = ("scanner", "matcher", "actuator", "gate")
_PROCESSES = sorted(("supervisor", *WORKERS))


@dataclasses.dataclass(frozen=True)
class Rules:
    """The serials that each guest gets, in the order of the configuration."""
    serials: Mapping[str, tuple[str, ...]]

    def config(self) -> str:
        """A guest from which all was moved away keeps a rule, as each must have, that fits nothing."""
        return config(**{guest: [rule_of(serial) for serial in serials or ("NONE",)]
                         for guest, serials in self.serials.items()})

    def moved(self, serial: str, guest: str) -> "Rules":
        """The same, but that device is this guest's alone."""
        return Rules({name: tuple(other for other in serials if other != serial) + ((serial,) if name == guest else ())
                      for name, serials in self.serials.items()})

    def takers(self, serial: str, state: State) -> list[str]:
        """The running guests that get such a device, in order."""
        return [guest for guest, serials in self.serials.items() if serial in serials and guest in state.guests]


Holders = dict[tuple[str, int], str]  # the guest that has a device, by its serial and instance


def holders(state: State) -> Holders:
    return {(device.serial, device.instance): guest for device in state.devices
            for guest, hostdevs in state.guests.items() if device.numbers in hostdevs}


def mistakes(rules: Rules, state: State, keepers: Holders, race: bool) -> list[str]:
    """What is not as it should be. Empty: it has converged.

    `keepers`: who had a device before and has run ever since, so keeps it. `race`: several things happened at once, so
    who came first among several takers is open.
    """
    found = [f"processes: {state.processes}"] if sorted(name for name, _ in state.processes) != _PROCESSES else []
    known = {device.numbers for device in state.devices}
    for guest, hostdevs in state.guests.items():
        for numbers, count in Counter(hostdevs).items():
            if numbers not in known:
                found.append(f"left behind: {numbers} in {guest}")
            if count > 1:
                found.append(f"doubled: {numbers} in {guest}")
    for device in state.devices:
        found += _mistakes_of(device, rules, state, keepers, race)
    return found


def _mistakes_of(device: Plugged, rules: Rules, state: State, keepers: Holders, race: bool) -> list[str]:
    what = f"{device.serial} {device.numbers}"
    if not device.ready:
        return [f"udev has not processed {what}"]
    takers = rules.takers(device.serial, state)
    have = [guest for guest, hostdevs in state.guests.items() if device.numbers in hostdevs]
    if not takers or not have:
        return [f"{have} instead of {takers} has {what}"] if takers or have else []
    keeper = keepers.get((device.serial, device.instance))
    right = [keeper] if keeper in takers else takers if race else takers[:1]
    if len(have) > 1 or have[0] not in right:
        return [f"{have} instead of one of {right} has {what}"]
    # A hostdev can outlive the device that it was made for, and seem to be its successor's.
    return [f"{have} has {what} in its XML, but a driver of the host has it"] if device.with_host else []
