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
_GUESTS = ("a", "b", "c")
_DEVICES = 10
_SETTLED = 15  # seconds after the last change
_NAMED = 6  # calls of a process
_TRACING = "/sys/kernel/tracing"
_NUMBERS = pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
_COUNTERS = r"""
for pid in %s; do
    cat /proc/$pid/task/*/schedstat | awk -v pid=$pid '{ time += $1 } END { print "time", pid, time }'
    cat /proc/$pid/task/*/status | awk -v pid=$pid '/_ctxt_switches/ { n += $2 } END { print "switches", pid, n }'
    awk -v pid=$pid '/^Pss:/ { print "memory", pid, $2 }' /proc/$pid/smaps_rollup
done
"""


def measure(stage: Stage, interval: str, seconds: int) -> str:
    """The daemon must be stopped; it is in the end. Ten devices are plugged, of which three are the guests'."""
    stage.daemon.start(config(interval, **{guest: rule_of(f"S{number}") for number, guest in enumerate(_GUESTS)}))
    wait_until(lambda: all(len(stage.hostdevs(guest)) == 1 for guest in _GUESTS), PATIENCE, "each guest has its device")
    time.sleep(_SETTLED)
    pids = stage.daemon.processes()
    before = _counters(stage, pids)
    calls = _calls(stage, pids, seconds)
    after = _counters(stage, pids)
    stage.daemon.stop()
    lines = [f"interval {interval}: a second {'calls':>8} {'switches':>9} {'ms a minute':>12} {'KiB':>7}"]
    for name, pid in pids.items():
        made = sum(calls[pid].values()) / seconds
        switches = (after["switches"][pid] - before["switches"][pid]) / seconds
        busy = (after["time"][pid] - before["time"][pid]) / 1e6 * 60 / seconds
        named = ", ".join(f"{call} {count / seconds:.2f}" for call, count in calls[pid].most_common(_NAMED))
        lines.append(f"{name[-22:]:>22} {made:8.2f} {switches:9.2f} {busy:12.1f} {after['memory'][pid]:7}   {named}")
    total = sum(sum(of.values()) for of in calls.values()) / seconds
    lines.append(f"{'together':>22} {total:8.2f} "
                 f"{sum(after['switches'][pid] - before['switches'][pid] for pid in pids.values()) / seconds:9.2f} "
                 f"{sum(after['time'][pid] - before['time'][pid] for pid in pids.values()) / 1e6 * 60 / seconds:12.1f} "
                 f"{sum(after['memory'][pid] for pid in pids.values()):7}")
    return "\n".join(lines)


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
        cd {_TRACING}; echo 0 >tracing_on; echo >trace; echo 16384 >buffer_size_kb
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
    with staged(options.tree, systems.chosen(options), _GUESTS) as stage:
        for number in range(_DEVICES):
            stage.plug(f"S{number}")
        stage.hypervisor.run("udevadm settle")
        for interval in options.interval or INTERVALS:
            print(measure(stage, interval, options.seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
