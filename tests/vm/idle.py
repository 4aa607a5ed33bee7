#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the daemon costs a host on which nothing happens: ten devices, three guests, each with one of them.

For each interval, and each process with all its threads: system calls and switches of context a second, milliseconds of
the processor a minute (of the emulated one), and its share of memory in KiB (the proportional set size). The kernel
counts the calls, at its tracepoint of their entry; the most frequent are named.

    idle.py --tree DIR [--seconds N] [--interval INTERVAL]...
"""

import argparse
import collections
import dataclasses
import pathlib
import re
import sys
import time

import systems
from case import PATIENCE, Stage, staged
from daemon import config, rule_of
from hypervisor import wait_until

SECONDS = 60
INTERVALS = ("5s", "1h")
GUESTS = ("a", "b", "c")
_DEVICES = 10
_SETTLED = 15  # seconds after the last change
_NAMED = 6  # calls of a process
_TRACING = "/sys/kernel/tracing"
_TRACE = f"{_TRACING}/instances/idle"  # somebody else may have the other one
_NUMBERS = pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
_COUNTERS = r"""
for pid in %s; do
    cat /proc/$pid/task/*/schedstat | awk -v pid=$pid '{ time += $1 } END { print "time", pid, time }'
    cat /proc/$pid/task/*/status | awk -v pid=$pid '/_ctxt_switches/ { n += $2 } END { print "switches", pid, n }'
    awk -v pid=$pid '/^Pss:/ { print "memory", pid, $2 }' /proc/$pid/smaps_rollup
done
"""


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of one process, with all its threads."""
    calls: float  # of the system, a second
    switches: float  # of context, a second
    milliseconds: float  # of the emulated processor, a minute
    memory: int  # KiB
    named: str = ""  # the most frequent calls

    def __str__(self) -> str:
        return f"{self.calls:8.2f} {self.switches:9.2f} {self.milliseconds:12.1f} {self.memory:7}   {self.named}"


@dataclasses.dataclass(frozen=True)
class Costs:
    interval: str
    of: dict[str, Cost]  # by process

    @property
    def together(self) -> Cost:
        columns = zip(*(dataclasses.astuple(cost)[:4] for cost in self.of.values()))
        return Cost(*map(sum, columns))

    def __str__(self) -> str:
        return "\n".join([f"interval {self.interval}: a second {'calls':>8} {'switches':>9} {'ms a minute':>12} {'KiB':>7}",
                          *(f"{name[-22:]:>22} {cost}" for name, cost in [*self.of.items(), ("together", self.together)])])


def measure(stage: Stage, interval: str, seconds: int) -> Costs:
    """The guests must run, and the daemon not; nothing is left of it but the devices, which are plugged if none are."""
    if not stage.plugged:
        for number in range(_DEVICES):
            stage.plug(f"S{number}")
        stage.hypervisor.run("udevadm settle")
    stage.daemon.start(config(interval, **{guest: rule_of(f"S{number}") for number, guest in enumerate(GUESTS)}))
    wait_until(lambda: all(len(stage.hostdevs(guest)) == 1 for guest in GUESTS), PATIENCE, "each guest has its device")
    time.sleep(_SETTLED)
    pids = stage.daemon.processes()
    before = _counters(stage, pids)
    calls = _calls(stage, pids, seconds)
    after = _counters(stage, pids)
    stage.daemon.stop()

    def cost(pid: int) -> Cost:
        more = {what: (after[what][pid] - before[what][pid]) / seconds for what in ("switches", "time")}
        named = ", ".join(f"{call} {count / seconds:.2f}" for call, count in calls[pid].most_common(_NAMED))
        return Cost(sum(calls[pid].values()) / seconds, more["switches"], more["time"] / 1e6 * 60, after["memory"][pid], named)
    return Costs(interval, {name: cost(pid) for name, pid in pids.items()})


def _counters(stage: Stage, pids: dict[str, int]) -> dict[str, dict[int, int]]:
    counters: dict[str, dict[int, int]] = collections.defaultdict(dict)
    for line in stage.hypervisor.run(_COUNTERS % " ".join(map(str, pids.values()))).stdout.splitlines():
        what, pid, value = line.split()
        counters[what][int(pid)] = int(float(value))
    return counters


def _calls(stage: Stage, pids: dict[str, int], seconds: int) -> dict[int, collections.Counter[str]]:
    """The calls of each process, by name."""
    run = stage.hypervisor.run
    threads = {int(thread): pid for pid in pids.values() for thread in run(f"ls /proc/{pid}/task").stdout.split()}
    names = dict(re.findall(r"#define __NR_(\w+) (\d+)", _NUMBERS.read_text(encoding="ascii")))
    names_of = {number: name for name, number in names.items()}
    traced = run(f"""
        mountpoint -q {_TRACING} || mount -t tracefs none {_TRACING}
        mkdir -p {_TRACE}; cd {_TRACE}; echo 0 >tracing_on; echo >trace; echo 16384 >buffer_size_kb
        echo {' '.join(map(str, threads))} >set_event_pid; echo 1 >events/raw_syscalls/sys_enter/enable
        echo 1 >tracing_on; sleep {seconds}; echo 0 >tracing_on; echo 0 >events/raw_syscalls/sys_enter/enable
        sed -nE 's/^ *.*-([0-9]+) +\\[.*sys_enter: NR ([0-9]+) .*/\\1 \\2/p' trace | sort | uniq -c""", timeout=seconds + 60).stdout
    calls = {pid: collections.Counter[str]() for pid in pids.values()}
    for line in traced.splitlines():
        count, thread, number = line.split()
        calls[threads[int(thread)]][names_of.get(number, number)] += int(count)
    return calls


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True, type=pathlib.Path, metavar="DIR")
    parser.add_argument("--seconds", type=int, default=SECONDS, metavar="N")
    parser.add_argument("--interval", action="append", metavar="INTERVAL", help="as in the configuration; may be repeated")
    systems.add_options(parser)
    options = parser.parse_args()
    with staged(options.tree, systems.chosen(options), GUESTS) as stage:
        for interval in options.interval or INTERVALS:
            print(measure(stage, interval, options.seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
