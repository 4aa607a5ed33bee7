#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Each process of the daemon is killed at random points, and everything is served again soon.

At each kill a device is plugged or unplugged, up to half a second before or after it: it meets the daemon at rest, at
work, and while it is down or starts. The time runs from the kill, or from udev's end with the device if that is later,
until all five processes run and every guest has what the rules say. The median may be half a second and the maximum
two. Under emulation it is the start of programs that takes the time, so a virsh that starts, asks and ends is measured
in the same run: on a usual machine it takes a twentieth of a second. Where it takes longer, the median may be five
virshs and the maximum twenty: three programs start at a time, each with more to load, and systemd starts the first.

    kills.py --tree DIR [--count N] [--seed N]      N: kills of each process
"""

import argparse
import pathlib
import random
import statistics
import sys
import time

import systems
from case import staged
from chaos import Chaos, Diverged, Figures
from rules import WORKERS
from watcher import Done

COUNT = 4
_PROCESSES = (*WORKERS, "supervisor")
_MEDIAN, _LONGEST = 0.5, 2.0  # seconds, or if that is more:
_VIRSHS_MEDIAN, _VIRSHS_LONGEST = 5, 20
_VIRSHS = 5  # measured
_APART = 0.5  # seconds between kill and plug at most
_SERIALS = ("A1", "B1", "C1")


def kill_all(chaos: Chaos, count: int) -> Figures:
    """Kill each process that often, in random order; the reference must have been measured."""
    chance = random.Random(chaos.seed)
    figures = Figures()
    targets = list(_PROCESSES) * count
    chance.shuffle(targets)
    for target in targets:
        figures.add(target, _kill(chaos, chance, target))
    return figures


def _kill(chaos: Chaos, chance: random.Random, target: str) -> float:
    world = chaos.world
    killed: list[Done] = []
    serial, apart, first = chance.choice(_SERIALS), chance.random() * _APART, chance.random() < 0.5

    def kill() -> None:
        killed.append(chaos.watcher.do(f"kill KILL {target}"))

    def change() -> None:
        world.unplug(serial) if serial in world.plugged else world.plug(serial)

    def both() -> None:
        one, other = (kill, change) if first else (change, kill)
        one()
        time.sleep(apart)
        other()

    step = chaos.settle(f"kill of the {target}", both, race=True, thorough=False)
    (done,) = killed
    took = step.after(done.at)
    print(f"{done.at:9.2f} the {target} is killed, {serial} plugged or unplugged {apart:.2f} s "
          f"{'later' if first else 'before'}: {took:.2f} s from {max(done.at, step.changed):.2f} on", flush=True)
    return took


def measure_virsh(chaos: Chaos) -> float:
    """Seconds from its start to its end, the median."""
    now = "cut -d' ' -f1 /proc/uptime"
    said = chaos.world.sh(f"for i in $(seq {_VIRSHS + 1}); do {now}; virsh list >/dev/null; {now}; done").split()
    times = [float(one) for one in said]
    return statistics.median([end - start for start, end in zip(times[::2], times[1::2])][1:])


def assert_soon(figures: Figures, virsh: float) -> None:
    median, longest = statistics.median(figures.all()), max(figures.all())
    median_bound, longest_bound = max(_MEDIAN, _VIRSHS_MEDIAN * virsh), max(_LONGEST, _VIRSHS_LONGEST * virsh)
    print(f"kills: a virsh takes {virsh:.2f} s; median {median:.2f} s of at most {median_bound:.2f}, longest "
          f"{longest:.2f} s of at most {longest_bound:.2f}", flush=True)
    if median > median_bound or longest > longest_bound:
        raise Diverged(f"kills: median {median:.2f} s, longest {longest:.2f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True, type=pathlib.Path, metavar="DIR")
    parser.add_argument("--count", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, metavar="N")
    systems.add_options(parser)
    options = parser.parse_args()
    print(f"kills: seed {options.seed}", flush=True)
    with staged(options.tree, systems.chosen(options)) as stage:
        chaos = Chaos(stage, options.seed)
        chaos.measure_reference()
        virsh = measure_virsh(chaos)
        try:
            figures = kill_all(chaos, options.count)
            print(figures, flush=True)
            assert_soon(figures, virsh)
        except BaseException:
            print(*stage.daemon.log(0), sep="\n", flush=True)
            raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
