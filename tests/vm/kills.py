#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Each process of the daemon is killed at random points, and everything is served again soon.

At each kill a device is plugged or unplugged, up to half a second before or after it: it meets the daemon at rest, at
work, and while it is down or starts. The time runs from the kill, or from udev's end with the device if that is later,
until all four processes run and every guest has what the rules say. A machine where a plain plug takes a tenth of a
second has a median under half a second and a maximum under two; on a slower one these grow with the plain plug, as in
chaos.py.

    kills.py --tree DIR [--count N] [--seed N]      N: kills of each process
"""

import argparse
import pathlib
import random
import statistics
import sys
import time

from case import Stage
from chaos import Chaos, Diverged, Figures
from hypervisor import Hypervisor
from rules import WORKERS
from watcher import Done

COUNT = 5
_PROCESSES = (*WORKERS, "supervisor")
_MEDIAN, _LONGEST = 0.5, 2.0  # of the bound of chaos.py, which is a second or more
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
    return step.after(done.at)


def assert_soon(chaos: Chaos, figures: Figures) -> None:
    median, longest = statistics.median(figures.all()), max(figures.all())
    if median > _MEDIAN * chaos.bound or longest > _LONGEST * chaos.bound:
        raise Diverged(f"median {median:.2f} s, at most {_MEDIAN * chaos.bound:.2f}; longest {longest:.2f} s, at most "
                       f"{_LONGEST * chaos.bound:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True, type=pathlib.Path, metavar="DIR")
    parser.add_argument("--count", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, metavar="N")
    options = parser.parse_args()
    print(f"kills: seed {options.seed}", flush=True)
    with Hypervisor(options.tree) as hypervisor:
        stage = Stage(hypervisor)
        stage.ready()
        chaos = Chaos(stage, options.seed)
        chaos.measure_reference()
        figures = kill_all(chaos, options.count)
        print(f"a plain plug takes {chaos.reference:.2f} s\n{figures}", flush=True)
        assert_soon(chaos, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
