#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Runs test programs in the virtual hypervisor, on its kernel and with its libraries: above all those of sealed processes.

    ctest --test-dir /build --show-only=json-v1 -L sealed >tests.json
    sealed.py BUILD tests.json

BUILD: the build folder. It was made as /build and is there inside, too.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import sys
import tempfile
import time
from typing import Any

import systems
from hypervisor import TREE_MOUNT, Hypervisor

_SECONDS = 900  # for all tests of a program
_EMULATOR = re.compile(r"/usr/bin/qemu-\w+-static")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD")
    parser.add_argument("tests", type=pathlib.Path, metavar="TESTS")
    systems.add_options(parser)
    options = parser.parse_args()
    listed = commands(json.loads(options.tests.read_text()))
    passed = failed = 0
    with tempfile.TemporaryDirectory(dir=options.build) as tree:
        _link_programs(options.build, [command[-1] for command in listed], pathlib.Path(tree))
        with Hypervisor(pathlib.Path(tree), systems.chosen(options)) as hypervisor:
            hypervisor.run(f"mkdir /build && mount --bind {TREE_MOUNT} /build")
            for command in listed:
                well, badly = _run(hypervisor, command)
                passed, failed = passed + well, failed + badly
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if passed and not failed else 1


def commands(listing: dict[str, Any]) -> list[list[str]]:
    """What ctest has listed, a command line for each program; without an emulator, which is not needed inside."""
    found: list[list[str]] = []
    for test in listing["tests"]:
        command = [part for part in test["command"] if not part.startswith("--gtest_") and not _EMULATOR.fullmatch(part)]
        if command not in found:
            found.append(command)
    return found


def counts(output: str) -> tuple[int, int]:
    """How many tests of a program have passed, and how many not, by its closing lines. Skipped is not passed."""
    found = {verdict: int(number) for verdict, number in re.findall(r"^\[ +(\w+) +\] (\d+) tests?\b", output, re.MULTILINE)}
    return found.get("PASSED", 0), found.get("FAILED", 0) + found.get("SKIPPED", 0)


def _link_programs(build: pathlib.Path, programs: list[str], tree: pathlib.Path) -> None:
    """The programs, and those that they start, which are beside them or those that are released."""
    folders = {pathlib.Path(program).relative_to("/build").parent for program in programs}
    for folder in [*folders, pathlib.Path("sbin"), pathlib.Path("libexec")]:
        for file in (build / folder).rglob("*"):
            if file.is_file() and os.access(file, os.X_OK):
                target = tree / file.relative_to(build)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(file, target)


def _run(hypervisor: Hypervisor, command: list[str]) -> tuple[int, int]:
    started = time.monotonic()
    done = hypervisor.run(f"cd /build && {shlex.join(command)} --gtest_brief=1", _SECONDS, check=False)
    passed, failed = counts(done.stdout)
    if done.returncode != 0:
        failed = max(failed, 1)  # as one that is killed
        print(f"{done.stdout}{done.stderr}FAILED {shlex.join(command)}: ended with {done.returncode}")
    print(f"{time.monotonic() - started:6.1f} s  {pathlib.Path(command[-1]).name}: {passed} passed, {failed} failed",
          flush=True)
    return passed, failed


if __name__ == "__main__":
    sys.exit(main())
