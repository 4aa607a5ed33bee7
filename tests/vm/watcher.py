# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What happens inside the hypervisor, as a timeline of its own clock, and commands that cost no start of a process.

watcher.pl does the work inside. It is talked to by the guest agent's file requests: a process that is started for
each question would take most of the processors under emulation.
"""

import base64
import dataclasses
import pathlib
import threading
import time
from collections.abc import Callable

from daemon import UNIT
from hypervisor import Hypervisor

_PROGRAM = pathlib.Path(__file__).resolve().with_name("watcher.pl")
_FIFO, _OUTPUT, _INSIDE = "/run/watcher.in", "/run/watcher.out", "/run/watcher.pl"
_POLL_SECONDS = 0.1
_COMMAND_SECONDS = 90.0
_READ_BYTES = 1 << 20

Numbers = tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True)
class Plugged:
    """A USB device of the host. `instance` differs each time that it is connected."""
    sysname: str
    instance: int
    numbers: Numbers  # bus, device, vendor, product
    ready: bool  # udev has processed it
    with_host: bool  # a driver of the host has it, so no guest has
    serial: str


@dataclasses.dataclass(frozen=True)
class State:
    """The hypervisor from `at` on, until the next one."""
    at: float
    devices: tuple[Plugged, ...]
    guests: dict[str, tuple[Numbers, ...]]  # those that run, and their hostdevs
    processes: tuple[tuple[str, int], ...]  # of the daemon: name and process id

    def __str__(self) -> str:
        devices = " ".join(f"{one.serial}={one.numbers[0]}/{one.numbers[1]}{'' if one.ready else '?'}"
                           f"{'(host)' if one.with_host else ''}" for one in self.devices)
        guests = " ".join(f"{name}:{','.join(f'{one[0]}/{one[1]}' for one in hostdevs)}"
                          for name, hostdevs in self.guests.items())
        return f"{devices} | {guests} | {' '.join(name for name, _ in self.processes)}"

    @property
    def world(self) -> object:
        """All that faults change and the daemon does not."""
        return tuple((device.sysname, device.instance, device.ready) for device in self.devices), tuple(self.guests)


@dataclasses.dataclass(frozen=True)
class Done:
    """A command's end."""
    at: float
    status: int
    output: str


class Watcher:
    """Started with the first use, ended with close."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._agent = hypervisor.agent
        hypervisor.write_file(_INSIDE, _PROGRAM.read_bytes())
        hypervisor.run(f"rm -f {_FIFO}; mkfifo {_FIFO}; : >{_OUTPUT}")
        self._process = hypervisor.start(f"exec perl {_INSIDE} {_FIFO} {UNIT} >{_OUTPUT} 2>&1")
        self._input = self._agent.request("guest-file-open", path=_FIFO, mode="r+")
        self._output = self._agent.request("guest-file-open", path=_OUTPUT, mode="r")
        self._rest = ""
        self._lock = threading.Lock()
        self._count = 0
        self._ended: dict[int, Done] = {}
        self.states: list[State] = []

    def close(self) -> None:
        self._process.kill()
        for handle in (self._input, self._output):
            self._agent.request("guest-file-close", handle=handle)

    def read(self) -> None:
        """Take in what was said since the last time."""
        with self._lock:
            answer = self._agent.request("guest-file-read", handle=self._output, count=_READ_BYTES)
            self._rest += base64.b64decode(answer["buf-b64"]).decode("utf-8", "replace")
            *lines, self._rest = self._rest.split("\n")
            for line in lines:
                self._take(line)

    def catch_up(self) -> None:
        """Take in all that was until now: a command is answered after a look at everything."""
        self.do("sh :")

    def state(self) -> State:
        """The last one that was said."""
        self.read()
        if not self.states:
            self.wait(lambda: self.states, "the first look")
        return self.states[-1]

    def wait(self, predicate: Callable[[], object], what: str, timeout: float = 30.0) -> None:
        """Read until it holds. TimeoutError if it does not in time."""
        deadline = time.monotonic() + timeout
        while not predicate():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout} s: {what}")
            time.sleep(_POLL_SECONDS)
            self.read()

    def begin(self, command: str) -> int:
        """Have a command carried out; its number. As watcher.pl has them: sh COMMAND, virsh SHELL COMMAND, ..."""
        with self._lock:
            self._count += 1
            number = self._count
            data = base64.b64encode(f"{number} {command}\n".encode()).decode()
            self._agent.request("guest-file-write", **{"handle": self._input, "buf-b64": data})
            self._agent.request("guest-file-flush", handle=self._input)
        return number

    def end(self, number: int) -> Done:
        """Wait for the end of a command."""
        self.wait(lambda: number in self._ended, f"the end of command {number}", _COMMAND_SECONDS)
        return self._ended[number]

    def do(self, command: str) -> Done:
        return self.end(self.begin(command))

    def _take(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        at, _, rest = rest.partition(" ")
        if kind == "did" and rest.count(" ") >= 2:
            number, status, output = rest.split(" ", 2)
            self._ended[int(number)] = Done(float(at), int(status), output.replace("\\n", "\n"))
        elif kind == "state":
            self.states.append(_state(float(at), rest.split()))
        else:
            raise RuntimeError(f"watcher.pl: {line!r}")


def _state(at: float, items: list[str]) -> State:
    fields = [item.split("/") for item in items]
    devices = tuple(Plugged(sysname, int(instance), (int(bus), int(device), int(vendor, 16), int(product, 16)),
                            ready == "1", host == "1", serial)
                    for kind, sysname, instance, bus, device, vendor, product, ready, host, serial
                    in (field for field in fields if field[0] == "D"))
    guests = {field[1]: tuple(map(_numbers, field[2:])) for field in fields if field[0] == "G"}
    return State(at, devices, guests, tuple((field[1], int(field[2])) for field in fields if field[0] == "P"))


def _numbers(text: str) -> Numbers:
    bus, device, vendor, product = text.split(".")
    return int(bus or 0), int(device or 0), int(vendor or "0", 16), int(product or "0", 16)
