#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Random faults, and after each of them every guest comes to have exactly what the rules say.

Three guests, seven devices of one model, of which two fit several guests; the interval is an hour, so only events
help. A step is one fault, or in one of five two at once. It is over when the commands have ended, udev has processed
all devices and the guests have started or stopped. From then on runs the time to converge. It may be a second on a
machine where a plain plug takes a tenth of that; here the plain plug is measured first, in the same run, and ten times
its median, or a second if that is more, is the bound. One step in twenty may be later: the machine that emulates the
hypervisor has its busy moments. All must converge; where libvirtd is killed in the middle of an attach and refuses the
next one for good, with a replug of the device, as behaviour.md says. All times are those of the hypervisor's own clock.
Then everything must stay as it is, in libvirt's answers too, until the next step.

At the end the log is compared with what was seen: one line for each attach and detach, no more.

    chaos.py --tree DIR [--faults N] [--seed N]
"""

import argparse
import collections
import dataclasses
import pathlib
import random
import re
import statistics
import sys
import time
from collections.abc import Callable

import faults
import systems
from case import Stage, staged
from guests import usb_hostdevs
from rules import Holders, holders, mistakes
from watcher import State, Watcher

FAULTS = 30
_REFERENCES = 3
_IDLE_PLUGS = 10  # of them fit into the second that a usual machine has
_PATIENCE = 30.0  # seconds: to see whether what is late converges at all
_QUIET = 0.5  # seconds in which nothing may change any more
_MAY_COME_BETWEEN = "kill|restart|early|libvirtd|save|storm|replug"  # a deed and its line
_TWO_AT_ONCE = 0.2  # of all steps
_BUSY = 0.05  # of all steps, which may be late: one busy moment of the machine under a hypervisor is no verdict


class Diverged(AssertionError):
    """The state is not what the rules say, and does not come to it."""


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    ended: float  # the commands
    changed: float  # the last device was processed, or guest started or stopped
    converged: float

    @property
    def took(self) -> float:
        """Without the second for which a driver of the host may have a device, before the daemon gives it anew."""
        return max(0.0, self.after(self.ended) - ("reauthorize" in self.name))

    def after(self, moment: float) -> float:
        """Seconds from that moment, or from the last change of the world if that is later."""
        return max(0.0, self.converged - max(moment, self.changed))


class Figures:
    """Seconds by kind, and how they are told."""

    def __init__(self) -> None:
        self._taken: dict[str, list[float]] = collections.defaultdict(list)

    def add(self, kind: str, seconds: float) -> None:
        self._taken[kind].append(seconds)

    def all(self) -> list[float]:
        return [seconds for taken in self._taken.values() for seconds in taken]

    def __str__(self) -> str:
        rows = [*sorted(self._taken.items()), ("all", self.all())]
        return "\n".join(f"{kind:>40}: {describe(taken)}" for kind, taken in rows if taken)


def describe(taken: list[float]) -> str:
    ordered = sorted(taken)
    p90 = ordered[min(len(ordered) - 1, len(ordered) * 9 // 10)]
    return (f"{len(taken):3} times, min {ordered[0]:.2f}, median {statistics.median(ordered):.2f}, p90 {p90:.2f}, "
            f"max {ordered[-1]:.2f} s")


class Chaos:
    """One run. The usual guests must be running, nothing plugged, the daemon stopped; clear() leaves it so."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.seed = seed
        self._chance = random.Random(seed)
        self.figures = Figures()
        self.steps: list[Step] = []
        self.failures: list[str] = []
        self.reference = self.bound = 0.0
        self._log_of_step = 0
        self._stuck: str | None = None  # a guest of which nothing is expected
        for guest in faults.GUESTS:
            stage.run_guest(guest)
        self.watcher = Watcher(stage.hypervisor)
        self.world = faults.World(stage, self.watcher, random.Random(seed))

    def clear(self) -> None:
        for guest in sorted(self.world.off):
            self.world.start(guest)
        self.watcher.close()

    # Reference and bound

    def measure_reference(self) -> None:
        """The plain plug: from udev's end to the live XML."""
        taken = []
        self.stage.daemon.start(self.world.rules.config())
        for serial in (faults.SERIALS * _REFERENCES)[:_REFERENCES + 1]:
            if serial in self.world.plugged:
                self.world.unplug(serial)
            taken.append(self.plain_plug(serial))
        self.reference = statistics.median(taken[1:])  # the first finds everything cold
        self.bound = max(1.0, _IDLE_PLUGS * self.reference)

    def plain_plug(self, serial: str) -> float:
        """Nothing else happens."""
        return self.settle("a plain plug", lambda: self.world.plug(serial), thorough=False).after(0.0)

    def unplug_all(self) -> None:
        """No device is left, and no trace of one."""
        def unplug() -> None:
            for serial in sorted(self.world.plugged):
                self.world.unplug(serial)
        self.settle("unplugs", unplug, thorough=False)

    def plug_beside(self, stuck: str, serial: str) -> float:
        """The same, while a guest does not answer and so lacks a device."""
        self._stuck = stuck
        try:
            return self.plain_plug(serial)
        finally:
            self._stuck = None

    # Steps

    def run(self, count: int) -> None:
        """Do that many steps; what does not converge, or not in time, is among the failures then."""
        for number in range(1, count + 1):
            # Which faults come next does not depend on how many choices this one takes.
            self.world.chance = random.Random(f"{self.seed} {number}")
            name, fault, race = self._choose()
            try:
                self._step(f"{number:4}. {name}", name, fault, race)
            except Diverged as error:
                print(error, flush=True)
                print(*self.stage.daemon.log(0)[-40:], sep="\n", flush=True)
                self.failures.append(f"step {number}: {error}")
                self._start_over()
        late = [f"{step.name} took {step.took:.2f} s" for step in self.steps if step.took > self.bound]
        if len(late) > max(1, count * _BUSY):
            self.failures.append(f"more than {self.bound:.2f} s: {', '.join(late)}")

    def _step(self, title: str, name: str, fault: faults.Fault, race: bool) -> None:
        started = time.monotonic()
        self._log_of_step = self.stage.daemon.seen
        step = self.settle(name, lambda: fault(self.world), race)
        print(f"{step.ended:9.2f} {title}: {step.took:.2f} s (all {time.monotonic() - started:.1f} s)", flush=True)
        self.steps.append(step)
        for kind in name.split(" + "):
            self.figures.add(kind if "+" not in name else f"two at once: {kind}", step.took)

    def _start_over(self) -> None:
        """For the steps after a failure: new guests, which have no trace of it."""
        for guest in set(faults.GUESTS) - self.world.off:
            self.world.virsh(f"destroy {guest}")
            self.world.start(guest)
        self.settle("a fresh start", lambda: faults.restart_service(self.world), True)

    def _choose(self) -> tuple[str, faults.Fault, bool]:
        if self._chance.random() < _TWO_AT_ONCE:
            one, other = self._chance.choice(faults.DEVICES), self._chance.choice(faults.OTHERS)
            return (f"{one.__name__} + {other.__name__}", lambda world: faults.both(world, one, other), True)
        one = self._chance.choice(faults.DEVICES + faults.OTHERS)
        return one.__name__, one, one in faults.RACES

    def settle(self, name: str, fault: Callable[[], object], race: bool = False, thorough: bool = True) -> Step:
        """Do something, and wait until all is as it should be. Raises Diverged if it does not become so.

        `race`: several things happen at once. `thorough`: all stays so, and libvirt agrees.
        """
        held = holders(self.watcher.state())
        self.world.reauthorized.clear()
        since = len(self.watcher.states) - 1
        fault()
        ended = self.watcher.do("sh :").at
        # libvirt shows what a restored guest had, until QEMU has let go of it and the daemon gives it anew.
        for _ in range(2 if "save_and_restore" in name else 1):
            self._converge(name, since, held, race)
            time.sleep(_QUIET if thorough else 0)
        if thorough and (found := self._mistakes(since, held, race) + self._libvirt_differs()):
            raise Diverged(f"{name} does not stay as it is: {'; '.join(found)}\n{self._history(since)}")
        return Step(name, ended, self._world_changed(since), self._converged(since, held, race))

    def _converge(self, name: str, since: int, held: Holders, race: bool) -> None:
        began = time.monotonic()
        helped = "libvirtd" not in name
        while found := self._mistakes(since, held, race):
            if not helped and time.monotonic() - began > _PATIENCE / 3:
                helped = True
                faults.mend_libvirt(self.world, self._refused_by_libvirt())
            if time.monotonic() - began > _PATIENCE:
                raise Diverged(f"{name} does not converge: {'; '.join(found)}\n{self._history(since)}")
            time.sleep(0.1)

    def _refused_by_libvirt(self) -> list[str]:
        """Serials of the devices that libvirt takes for still in use."""
        said = (re.search(r"^cannot attach .* serial=(\w+) .*libvirt says: .*(in use|Duplicate)", line.text)
                for line in self.stage.daemon.log(self._log_of_step))
        serials = {match[1] for match in said if match} & set(self.world.plugged)
        print(f"libvirt has half of an attach in its books: {serials}", flush=True)
        return sorted(serials)

    def _mistakes(self, since: int, held: Holders, race: bool) -> list[str]:
        state = self.watcher.state()
        there = {device.serial for device in state.devices}
        if there != set(self.world.plugged) or set(faults.GUESTS) - set(state.guests) != self.world.off:
            return [f"{there} plugged and {set(state.guests)} running: {state}"]
        return self._wrong(state, self._keepers(since, held), race)

    def _wrong(self, state: State, keepers: Holders, race: bool) -> list[str]:
        return [one for one in mistakes(self.world.rules, state, keepers, race)
                if not (self._stuck and f"[] instead of ['{self._stuck}']" in one)]

    def _keepers(self, since: int, held: Holders) -> Holders:
        """Those who have run all the time. A device that lost its authorization, or was taken back, is free again."""
        states = self.watcher.states[since:]
        return {device: guest for device, guest in held.items() if device[0] not in self.world.reauthorized and
                all(guest in state.guests for state in states)}

    def _world_changed(self, since: int) -> float:
        """When the last device was processed, or guest started or stopped."""
        states = self.watcher.states[since:]
        changes = [new.at for old, new in zip(states, states[1:]) if old.world != new.world]
        return changes[-1] if changes else 0.0

    def _converged(self, since: int, held: Holders, race: bool) -> float:
        """When the state became what it was at the end."""
        at = self.watcher.states[-1].at
        for state in reversed(self.watcher.states[since:]):
            if self._wrong(state, self._keepers(since, held), race):
                break
            at = state.at
        return at

    def _libvirt_differs(self) -> list[str]:
        """libvirt's own answers, beside the files that the watcher reads."""
        found = []
        for guest, hostdevs in self.watcher.state().guests.items():
            xml = self.world.virsh(f"dumpxml {guest}")
            live = sorted((one.bus, one.device, one.vendor, one.product)
                          for one in usb_hostdevs(xml[xml.find("<domain "):xml.find("</domain>") + len("</domain>")]))
            if live != sorted(hostdevs):
                found.append(f"libvirt says {live} and not {hostdevs} of {guest}")
        return found

    def _history(self, since: int) -> str:
        """The last states, by the clock that the log has, too."""
        return "\n".join(f"{state.at:9.2f} {state}" for state in self.watcher.states[since:][-8:])

    # Log

    def report(self) -> str:
        return (f"chaos: seed {self.seed}, {len(self.steps)} steps; a plain plug takes {self.reference:.2f} s, so the "
                f"bound is {self.bound:.2f} s\n{self.figures}")

    def assert_log_tells_it(self, since: int) -> None:
        """Each attach and detach that was seen has its line, and no line comes twice.

        What ends the daemon can come between the deed and its line, and libvirt takes a guest's devices without it.
        """
        seen = self._seen()
        lines = [line.text for line in self.stage.daemon.log(since)]
        said = collections.Counter(
            (match[1], f"{match[2]}", match[3]) for line in lines
            if (match := re.match(r"(attached) (\d+/\d+) .* to (\w+) by \w+\[\d+\] in \d", line)))
        twice = {what: count - seen[what] for what, count in said.items() if count > seen[what]}
        missing = sum((seen - said).values())
        endings = sum(bool(re.search(_MAY_COME_BETWEEN, step.name)) for step in self.steps)
        print(f"{sum(seen.values())} attaches seen, {sum(said.values())} said; {endings} steps could come between",
              flush=True)
        if twice:
            raise AssertionError(f"said more often than seen: {twice}")
        if missing > endings:
            raise AssertionError(f"seen and not said: {seen - said}")

    def _seen(self) -> "collections.Counter[tuple[str, str, str]]":
        seen: collections.Counter[tuple[str, str, str]] = collections.Counter()
        states: list[State] = self.watcher.states
        for old, new in zip(states, states[1:]):
            for guest, hostdevs in new.guests.items():
                for numbers in set(hostdevs) - set(old.guests.get(guest, ())):
                    seen["attached", f"{numbers[0]:03}/{numbers[1]:03}", guest] += 1
        return seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True, type=pathlib.Path, metavar="DIR")
    parser.add_argument("--faults", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, metavar="N")
    systems.add_options(parser)
    options = parser.parse_args()
    with staged(options.tree, systems.chosen(options)) as stage:
        chaos = Chaos(stage, options.seed)
        print(f"chaos: seed {options.seed}", flush=True)
        try:
            chaos.measure_reference()
            chaos.run(options.faults)
            if chaos.failures:
                raise Diverged("\n".join(chaos.failures))
            chaos.assert_log_tells_it(0)
        except BaseException:
            print(*stage.daemon.log(0)[-60:], sep="\n")
            raise
        finally:
            print(chaos.report(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
