# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The daemon inside the virtual hypervisor: installed, configured, started and listened to."""

import dataclasses
import json
import re
import shlex
import unittest
from collections.abc import Mapping

from hypervisor import TREE_MOUNT, Hypervisor, Started, wait_until

UNIT = "whawty-libvirt-usb-hotplugd.service"
PROGRAM = f"{TREE_MOUNT}/sbin/whawty-libvirt-usb-hotplugd"
CONFIG = "/etc/whawty-libvirt-usb-hotplugd/config.yml"
_MACHINES = "/etc/whawty-libvirt-usb-hotplugd/machines.d"
_CURSOR = "/run/whawty-test.cursor"
_PROCESSES = ("whawty-libvirt-usb-hotplugd", "scanner", "matcher", "actuator", "gate")
_ERROR, _WARNING = 3, 4  # of syslog


@dataclasses.dataclass(frozen=True)
class Line:
    """One message of the journal. `process` is empty for what systemd says about the unit."""
    priority: int
    process: str
    text: str
    at: float  # seconds of the hypervisor's CLOCK_MONOTONIC

    def __str__(self) -> str:
        return f"{self.at:9.2f} <{self.priority}> {self.process}: {self.text}"

    @property
    def is_error(self) -> bool:
        """Errors, and the deaths that no test can have meant."""
        return bool(self.process) and (self.priority <= _ERROR or "SIGSYS" in self.text)


def rule_of(serial: str) -> str:
    """A rule, in YAML, for the device with exactly that serial."""
    return f"{{udev: {{env: [{{name: ID_SERIAL_SHORT, equals: '{serial}'}}]}}}}"


def machine(*rules: str) -> str:
    """What stands under one machine: the list of its rules, each as YAML in one line."""
    return "devices:\n" + "".join(f"- {rule}\n" for rule in rules)


def config(interval: str = "1h", **machines: str | list[str]) -> str:
    """A main file; the machines in the order given, each with one rule or a list of them."""
    text = f"interval: {interval}\n" + ("machines:\n" if machines else "")
    for name, rules in machines.items():
        body = machine(*([rules] if isinstance(rules, str) else rules))
        text += f"  {name}:\n" + "".join(f"    {line}\n" for line in body.splitlines())
    return text


class Daemon:
    """The systemd service. Its log is read from the journal, once: log() has all since the first call."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor
        self._lines: list[Line] = []

    def install(self) -> None:
        """Make the mounted tree's unit and users known; the unit runs the tree's program."""
        self._hypervisor.run(f"""
            systemd-sysusers {TREE_MOUNT}/lib/sysusers.d/whawty-libvirt-usb-hotplugd.conf
            mkdir -p {_MACHINES}
            sed -E 's,^(ExecStart=[-+!:@]*)[^ ]*,\\1{PROGRAM},' {TREE_MOUNT}/lib/systemd/system/{UNIT} \
                >/etc/systemd/system/{UNIT}
            systemctl daemon-reload""")

    # Configuration

    def configure(self, main: str, machines: Mapping[str, str] | None = None, then: str = ":") -> None:
        """Replace the whole configuration: the main file and machines.d, by file name. `then` runs afterwards."""
        script = f"rm -rf {_MACHINES}; mkdir -p {_MACHINES}; "
        for path, text in {CONFIG: main, **{f"{_MACHINES}/{name}": text for name, text in (machines or {}).items()}}.items():
            script += f"printf %s {shlex.quote(text)} >{shlex.quote(path)}; "
        self._hypervisor.run(script + then)

    def start(self, main: str | None = None, machines: Mapping[str, str] | None = None) -> None:
        """Start the service, with a new configuration if one is given. Back when it has said that it is ready."""
        self._with(main, machines, f"systemctl start {UNIT}")

    def reload(self, main: str | None = None, machines: Mapping[str, str] | None = None) -> None:
        self._with(main, machines, f"systemctl reload {UNIT}")

    def _with(self, main: str | None, machines: Mapping[str, str] | None, command: str) -> None:
        if main is None:
            self._hypervisor.run(command)
        else:
            self.configure(main, machines, command)

    def stop(self) -> None:
        self._hypervisor.run(f"systemctl stop {UNIT}")

    def run_by_hand(self, environment: str = "", options: str = "", on_terminal: bool = False) -> Started:
        """Start it outside systemd. `environment`: assignments for the shell.

        Not where SELinux enforces: it would be in its domain, but with files of the harness.
        """
        if self._hypervisor.enforcing:
            raise unittest.SkipTest("by hand, where SELinux enforces")
        command = f"{PROGRAM} {options} {CONFIG}"
        if on_terminal:
            command = f"script --quiet --return --command '{command}' /dev/null"
        return self._hypervisor.start(f"{environment} exec {command}")

    # State

    def unit_property(self, name: str) -> str:
        """What systemd knows about the unit, such as ActiveState."""
        return self._hypervisor.run(f"systemctl show --value -p {name} {UNIT}").stdout.rstrip("\n")

    def processes(self) -> dict[str, int]:
        """Process ids of the service's processes by their names."""
        listing = self._hypervisor.run(f"""
            for pid in $(cat /sys/fs/cgroup/system.slice/{UNIT}/cgroup.procs); do
                echo "$pid $(basename "$(readlink /proc/$pid/exe)")"
            done""", check=False).stdout
        fields = (line.split() for line in listing.splitlines())
        return {found[1]: int(found[0]) for found in fields if len(found) == 2}  # else it has just ended

    # Log

    def log(self, since: int = 0) -> list[Line]:
        """The messages from the mark `since` on."""
        entries = self._hypervisor.run(
            f"journalctl --quiet --no-pager --all --unit={UNIT} --cursor-file={_CURSOR} --output=json "
            "--output-fields=MESSAGE,PRIORITY,UNIT", check=False).stdout  # nothing new is status 1
        for entry in map(json.loads, entries.splitlines()):
            if "MESSAGE" not in entry:
                continue  # a record of a process that has ended: its line is another entry
            message = entry["MESSAGE"]
            text = bytes(message).decode("utf-8", "surrogateescape") if isinstance(message, list) else message
            process, colon, rest = text.partition(": ")
            own = bool(colon) and process in _PROCESSES and "UNIT" not in entry
            self._lines.append(Line(int(entry["PRIORITY"]), process if own else "", rest if own else text,
                                    int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6))
        return self._lines[since:]

    @property
    def seen(self) -> int:
        """The place in the log after all that has been read so far: a mark without a look."""
        return len(self._lines)

    def mark(self) -> int:
        """The place in the log after all that has been said so far."""
        self.log()
        return len(self._lines)

    def find(self, pattern: str, since: int = 0) -> list[Line]:
        """The daemon's own messages that have a match of the regular expression. The gate's receipts are not among them."""
        return [line for line in self.log(since)
                if line.process and not line.text.startswith("receipt: ") and re.search(pattern, line.text)]

    def await_line(self, pattern: str, since: int, timeout: float = 20.0) -> Line:
        return wait_until(lambda: self.find(pattern, since), timeout, f"a log line {pattern!r}")[0]

    def errors(self, since: int) -> list[Line]:
        return [line for line in self.log(since) if line.is_error]

    def complaints(self, since: int) -> list[Line]:
        """Errors and warnings."""
        return [line for line in self.log(since) if line.process and line.priority <= _WARNING]
