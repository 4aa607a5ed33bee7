#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Which rows of the tables of system calls are used: the kernel is asked for every call that the daemon makes.

suite.py --rows ROWS DIR records them, a file a machine, for each test. Afterwards, with what print_profiles --rows prints:

    rows.py ROWS DIR...     prints the rows that no call needed, by process

A row of the supervisor is needed by its own calls, by those of the processes that it starts until these are sealed, and
by all of theirs after that, since filters add up.
"""

import dataclasses
import pathlib
import sys
from collections.abc import Iterable

from hypervisor import Hypervisor, wait_until

_TRACING = "/sys/kernel/tracing"
_SUPERVISOR = "whawty-libvirt-"  # as the kernel cuts it
_WORKERS = ("scanner", "matcher", "actuator", "gate")

# Prints "PROCESS NUMBER ARGUMENT=VALUE...", each once, and a line that says so when that is all, whenever it gets SIGUSR1:
# the calls since the last time. /run/rows.arguments says which arguments of a call matter. A process is sealed from its
# own seccomp(SECCOMP_SET_MODE_FILTER) on, which libseccomp also calls without a filter, to see what the kernel knows.
_RECORDER = r"""
use strict; no warnings;  # nothing but what is asked for is printed
my ($supervisor, %matter, %sealed, %calls) = ("whawty-libvirt-");
open my $arguments, "<", "/run/rows.arguments" or die;
while (<$arguments>) { my ($number, @places) = split; $matter{$number} = \@places; }
$| = 1;
$SIG{USR1} = sub {
    my %lines;
    for my $process (keys %calls) {
        my ($comm, $id, $when) = split /\t/, $process;
        next if $comm eq $supervisor and $when eq "before" and $sealed{"$comm\t$id"};
        for my $call (keys %{$calls{$process}}) {
            $lines{"supervisor $call"} = 1;
            $lines{"$comm $call"} = 1 if $comm ne $supervisor and $when eq "sealed";
        }
    }
    print "$_\n" for sort keys %lines;
    print "end\n";
    %calls = ();
};
open my $trace, "<", "/sys/kernel/tracing/trace_pipe" or die;
while (<$trace>) {
    next unless /^\s*(\S+)-(\d+)\s+\(\s*([\d-]+)\)\s.*?sys_enter: NR (\d+) \(([^)]*)\)/;
    my ($comm, $thread, $id, $number, @values) = ($1, $2, $3, $4, split /, /, $5);
    $id = $thread if $id =~ /-/;
    my $when = $sealed{"$comm\t$id"} ? "sealed" : "before";
    my $call = join " ", $number, map { "$_=" . hex $values[$_] } @{$matter{$number} || []};
    $calls{"$comm\t$id\t$when"}{$call} = 1;
    $sealed{"$comm\t$id"} = 1 if $number == 317 and hex $values[0] == 1 and hex $values[2] != 0;
}
"""


@dataclasses.dataclass(frozen=True)
class Row:
    process: str
    text: str
    numbers: frozenset[int]
    conditions: tuple[tuple[int, int, int], ...]  # argument, mask, value

    def allows(self, number: int, arguments: dict[int, int]) -> bool:
        return number in self.numbers and all(arguments[argument] & mask == value
                                              for argument, mask, value in self.conditions)


def read_rows(path: pathlib.Path) -> list[Row]:
    """What print_profiles --rows prints: process, text, numbers and conditions, with tabs between."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        process, text, numbers, conditions = line.split("\t")
        rows.append(Row(process, text, frozenset(map(int, numbers.split())),
                        tuple(tuple(map(int, one.split(":"))) for one in conditions.split())))  # type: ignore[misc]
    return rows


class Recorder:
    """From its making on, all calls of the daemon's processes."""

    def __init__(self, hypervisor: Hypervisor, rows: Iterable[Row], to: pathlib.Path) -> None:
        """`to` gets lines of "TEST PROCESS NUMBER ARGUMENT=VALUE...", with a tab after the test."""
        self._hypervisor = hypervisor
        self._to = to
        self._seen = 0
        matter: dict[int, set[int]] = {}
        for row in rows:
            for number in row.numbers:
                matter.setdefault(number, set()).update(argument for argument, _, _ in row.conditions)
        hypervisor.write_file("/run/rows.arguments", "".join(
            f"{number} {' '.join(map(str, sorted(places)))}\n" for number, places in matter.items()))
        hypervisor.write_file("/run/rows.pl", _RECORDER)
        comms = " || ".join(f'comm == "{comm}"' for comm in (_SUPERVISOR, *_WORKERS))
        hypervisor.run(f"""
            mountpoint -q {_TRACING} || mount -t tracefs none {_TRACING}
            cd {_TRACING}; echo 8192 >buffer_size_kb; echo 1 >options/record-tgid
            echo '{comms}' >events/raw_syscalls/sys_enter/filter; echo 1 >events/raw_syscalls/sys_enter/enable""")
        self._process = hypervisor.start("exec perl /run/rows.pl")

    def end_of(self, test: str) -> None:
        """What was called since the last one was called by that test."""
        self._hypervisor.run(f"sleep 1; kill -USR1 {self._process.pid}")
        (made,) = wait_until(self._answer, 60.0, "the recorder tells")
        with self._to.open("a", encoding="ascii") as file:
            file.writelines(f"{test}\t{line}\n" for line in made)

    def _answer(self) -> tuple[list[str]] | None:
        lines = self._process.output().splitlines()[self._seen:]
        if "end" not in lines:
            return None
        made = lines[:lines.index("end")]
        self._seen += len(made) + 1
        return (made,)

    def stop(self) -> None:
        lost = self._hypervisor.run(f"""
            cd {_TRACING}; echo 0 >events/raw_syscalls/sys_enter/enable; kill {self._process.pid}
            cat per_cpu/cpu*/stats | awk '/^overrun:/ {{ lost += $2 }} END {{ if (lost) print lost, "calls were lost" }}'""").stdout
        print(lost, end="", flush=True)
        self._process.wait()


def users(rows: Iterable[Row], folders: Iterable[pathlib.Path]) -> dict[Row, set[str]]:
    """The tests that needed each row."""
    tests: dict[str, set[str]] = {}  # by what was called
    for file in (file for folder in folders for file in folder.iterdir()):
        for line in file.read_text(encoding="ascii").splitlines():
            test, call = line.split("\t")
            tests.setdefault(call, set()).add(test)
    found: dict[Row, set[str]] = {row: set() for row in rows}
    for call, needed_by in tests.items():
        process, number, *arguments = call.split()
        values = {int(place): int(value) for place, _, value in (one.partition("=") for one in arguments)}
        for row in found:
            if row.process == process and row.allows(int(number), values):
                found[row] |= needed_by
    return found


def main() -> int:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    found = users(read_rows(pathlib.Path(sys.argv[1])), map(pathlib.Path, sys.argv[2:]))
    left = [row for row, tests in found.items() if not tests]
    for row in left:
        print(f"{row.process}: {row.text}")
    print(f"{len(found) - len(left)} rows of {len(found)} were used, {len(left)} were not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
