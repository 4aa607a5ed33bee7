#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Takes one row after the other out of the workers' tables of system calls, and runs a test that needs it.

    without_rows.py --tree DIR ROWS DIR...

ROWS is what print_profiles --rows prints, DIR what suite.py --rows has recorded on this release. For each row it says
by which test the loss was noticed: the process was killed, and the test failed. Of a program only the number of the
row's call is changed, to one that no processor has.
"""

import argparse
import collections
import contextlib
import io
import pathlib
import re
import struct
import sys
import unittest
from collections.abc import Iterable

import systems
from case import Case, Stage, seccomp_kills, staged
from hypervisor import TREE_MOUNT
from rows import Row, read_rows, users
from suite import all_tests

_FOLDER = "libexec/whawty-libvirt-usb-hotplugd"
_RULE = struct.Struct("=ixxxx48xQ")  # SyscallRule: number, two conditions, reason
_NO_CALL = struct.pack("=i", -1)


def without(program: bytes, rows: list[Row], taken: Row) -> bytes:
    """The program, with one row of its table made void. `rows`: all of the table."""
    length = _RULE.size * len(rows)

    def is_table(at: int) -> bool:
        return all(_RULE.unpack_from(program, at + _RULE.size * i)[0] in row.numbers for i, row in enumerate(rows))

    starts = {match.start() for number in rows[0].numbers
              for match in re.finditer(re.escape(struct.pack("=i", number)), program)}
    found = [at for at in sorted(starts) if at % 8 == 0 and at + length <= len(program) and is_table(at)]
    if len(found) != 1:
        raise ValueError(f"{len(found)} tables")
    at = found[0] + _RULE.size * rows.index(taken)
    return program[:at] + _NO_CALL + program[at + len(_NO_CALL):]


def cheapest(needed_by: dict[Row, set[str]]) -> dict[Row, str]:
    """A test for each row, and as few different ones as can be found at once."""
    chosen: dict[Row, str] = {}
    while left := [row for row, tests in needed_by.items() if tests and row not in chosen]:
        best, _ = collections.Counter(test for row in left for test in sorted(needed_by[row])).most_common(1)[0]
        chosen.update({row: best for row in left if best in needed_by[row]})
    return chosen


def notices(stage: Stage, test: unittest.TestCase) -> bool:
    """The test fails, and a process was killed for a call that it may not make."""
    since, kills = stage.daemon.mark(), len(seccomp_kills(stage.hypervisor))
    result = unittest.TestResult()
    with contextlib.redirect_stdout(io.StringIO()):
        unittest.TestSuite([test]).run(result)
    killed = len(seccomp_kills(stage.hypervisor)) > kills or any("SIGSYS" in line.text for line in stage.daemon.log(since))
    return killed and not result.wasSuccessful()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True, type=pathlib.Path, metavar="DIR")
    systems.add_options(parser)
    parser.add_argument("--process", help="only its rows")
    parser.add_argument("rows", type=pathlib.Path)
    parser.add_argument("recorded", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    rows = [row for row in read_rows(options.rows) if row.process != "supervisor"]
    needed_by = {row: tests for row, tests in users(rows, options.recorded).items()
                 if options.process in (None, row.process)}
    return take_out(options, rows, cheapest(needed_by), [row for row, tests in needed_by.items() if not tests])


def take_out(options: argparse.Namespace, rows: list[Row], chosen: dict[Row, str], unused: Iterable[Row]) -> int:
    tests = {test.id(): test for test in all_tests()}
    for row in unused:
        print(f"unused    {row.process}: {row.text}")
    unnoticed = 0
    with staged(options.tree, systems.chosen(options), ("a", "b")) as stage:
        Case.stand_on(stage)
        for row, name in sorted(chosen.items(), key=lambda item: (item[0].process, item[1])):
            program = f"{_FOLDER}/{row.process}"
            stage.hypervisor.write_file("/run/without", without(
                (options.tree / program).read_bytes(), [one for one in rows if one.process == row.process], row), 0o755)
            stage.hypervisor.run(f"mount --bind /run/without {TREE_MOUNT}/{program}")
            noticed = notices(stage, tests[name])
            stage.hypervisor.run(f"umount {TREE_MOUNT}/{program}")
            unnoticed += not noticed
            print(f"{'noticed' if noticed else 'UNNOTICED':9} {row.process}: {row.text}, by {name}", flush=True)
    print(f"{len(chosen) - unnoticed} rows of {len(chosen)} were noticed when they were taken out", flush=True)
    return 0 if unnoticed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
