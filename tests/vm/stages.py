#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Where the time goes between udev's event for a plugged device and the call that libvirtd gets.

The kernel stamps the system calls of the daemon, at their entry, with the clock that udevadm stamps its events with.
udevadm may read an event later than the scanner, so the first stage may be negative.

    stages.py --tree DIR [--rounds N]
"""

import dataclasses
import re
import statistics
import sys
import time

import systems
from case import PATIENCE, Stage, staged
from daemon import config, rule_of
from hypervisor import wait_until
from latency import Observer, parse

ROUNDS = 12
_GUEST = "a"
_SERIAL = "BY-DAEMON"
_ATTACH = 200  # bytes; no other call is as long
_RECVMSG, _SENDMSG, _WRITE = 47, 46, 1  # of x86-64
_SCANNER_UDEV, _SCANNER_TO_MATCHER, _MATCHER_TO_ACTUATOR = 5, 3, 5  # common/descriptors.h
_TRACE = "/sys/kernel/tracing/instances/stages"
_CALL = re.compile(r"\S-(\d+) .* (\d+\.\d+): sys_enter: NR (\d+) \((\w+), \w+, (\w+),", re.MULTILINE)
STAGES = ("the scanner wakes", "it has read and sent the device", "the matcher has decided and sent the request",
          "the actuator has made the call", "the gate has passed it on")


@dataclasses.dataclass(frozen=True)
class Call:
    process: str
    at: float  # seconds
    number: int
    descriptor: int
    third: int  # argument


def measure(stage: Stage, rounds: int = ROUNDS) -> list[list[float]]:
    """For each plug the milliseconds of each stage. The guest must run; the first plug is not counted."""
    observer = Observer(stage)
    stage.daemon.start("max-reconnects: 0\n" + config("1h", a=rule_of(_SERIAL)))
    try:
        return [_round(stage, observer) for _ in range(rounds + 1)][1:]
    finally:
        observer.close()
        stage.daemon.stop()


def _round(stage: Stage, observer: Observer) -> list[float]:
    of = {int(thread): name for name, pid in stage.daemon.processes().items()
          for thread in stage.hypervisor.run(f"ls /proc/{pid}/task").stdout.split()}
    stage.hypervisor.run(f"""
        mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing
        mkdir -p {_TRACE}; cd {_TRACE}; echo 0 >tracing_on; echo mono >trace_clock; echo >trace; echo 4096 >buffer_size_kb
        echo {' '.join(map(str, of))} >set_event_pid; echo 1 >events/raw_syscalls/sys_enter/enable; echo 1 >tracing_on""")
    stage.plug(_SERIAL)
    started = observer.take_event("udev", _SERIAL)
    observer.take_event("added", _GUEST)
    traced = stage.hypervisor.run(f"cd {_TRACE}; echo 0 >tracing_on; cat trace").stdout
    stage.unplug(stage.plugged[-1])
    wait_until(lambda: not stage.hostdevs(_GUEST), PATIENCE, f"{_GUEST} has given it back", pause=0.2)
    time.sleep(1)
    calls = [Call(of[int(thread)], float(at), int(number), int(first, 16), int(third, 16))
             for thread, at, number, first, third in _CALL.findall(traced) if int(thread) in of]
    return _stages(started, calls)


def _stages(started: float, calls: list[Call]) -> list[float]:
    """From the end, since a worker may send more than the message that the next one waits for."""
    def times(process: str, number: int, descriptor: int | None = None, longer: int = 0) -> list[float]:
        return [call.at for call in calls if call.process == process and call.number == number and call.third >= longer
                and descriptor in (None, call.descriptor)]

    def last(before: float, of: list[float]) -> float:
        return max(at for at in of if at < before)
    passed = min(at for at in times("gate", _WRITE, longer=_ATTACH) if at > started)
    called = last(passed, times("actuator", _WRITE, longer=_ATTACH))
    requested = last(called, times("matcher", _SENDMSG, _MATCHER_TO_ACTUATOR))
    sent = last(requested, times("scanner", _SENDMSG, _SCANNER_TO_MATCHER))
    woke = last(sent, times("scanner", _RECVMSG, _SCANNER_UDEV))
    moments = [started, woke, sent, requested, called, passed]
    return [1000 * (end - begin) for begin, end in zip(moments, moments[1:])]


def table(rounds: list[list[float]]) -> str:
    lines = [f"{name:>46}: {statistics.median(values):6.2f} ms" for name, values in zip(STAGES, zip(*rounds))]
    return "\n".join([*lines, f"{'all, median of ' + str(len(rounds)):>46}: {statistics.median(map(sum, rounds)):6.2f} ms"])


def main() -> int:
    options = parse(__doc__, ROUNDS)
    with staged(options.tree, systems.chosen(options), (_GUEST,)) as stage:
        print(table(measure(stage, options.rounds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
