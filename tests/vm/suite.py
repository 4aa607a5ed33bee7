#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The daemon end to end, in the virtual hypervisor: real udev, real libvirt, real guests.

One boot serves all tests, or one for each of --machines. With --apparmor, libvirtd and its guests are confined as on
every Debian host; with --enforcing, SELinux enforces this tree's module. A test is named by its method, its class or
its file, or by a part of test_file.Class.test_method; without names, all are run.
"""

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
import time
import unittest
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import apparmor
import enforcing
import main_path
import rows
import side_by_side
import systems
from case import Case, Stage, describe
from hypervisor import Hypervisor
from systems import Confinement, System

_HERE = pathlib.Path(__file__).resolve().parent
_USUAL_GUESTS = ("a", "b")
_ONLY_WITH = {"test_enforcing": Confinement.SELINUX, "test_apparmor": Confinement.APPARMOR}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True, type=pathlib.Path, metavar="DIR",
                        help="the installed files, built for that release: what has sbin, libexec and lib in it")
    parser.add_argument("--list", action="store_true", help="print the names of the tests and end")
    systems.add_options(parser, enforcing=True)
    parser.add_argument("--main-path", action="store_true", help="only the tests that main_path.py names")
    parser.add_argument("--machines", type=int, default=1, metavar="N", help="so many hypervisors at a time")
    parser.add_argument("--rows", nargs=2, type=pathlib.Path, metavar=("ROWS", "DIR"),
                        help="record in DIR which system calls are made; see rows.py")
    parser.add_argument("--asking", action="store_true", help=argparse.SUPPRESS)  # one of several machines
    parser.add_argument("tests", nargs="*", metavar="TEST")
    options = parser.parse_args()
    system = systems.chosen(options)
    found = all_tests()
    tests = [test for test in (main_path.of(found) if options.main_path else found)
             if _chosen(test, options.tests) and _fits(test, system)]
    if options.list:
        print(*(test.id() for test in tests), sep="\n")
        return 0
    if not tests:
        parser.error("no test has such a name")
    with _tree_for(options.tree, system) as tree:
        if options.machines > 1:
            command = [sys.executable, __file__, "--asking", "--tree", str(tree), *system.options,
                       *(["--main-path"] if options.main_path else []),
                       *(["--rows", *map(str, options.rows)] if options.rows else []), *side_by_side.names_for(options.tests)]
            passed, failed = side_by_side.run(tests, command, options.machines)
        else:
            batches = side_by_side.tests_asked_for(tests) if options.asking else [tests]
            passed, failed = _run(batches, tree, system, options.rows)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if failed == 0 else 1


def all_tests() -> list[unittest.TestCase]:
    return list(_flat(unittest.TestLoader().discover(str(_HERE))))


def _flat(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flat(test)
        else:
            yield test


def _chosen(test: unittest.TestCase, names: list[str]) -> bool:
    return not names or any(name.removesuffix(".py") in test.id() for name in names)


def _fits(test: unittest.TestCase, system: System) -> bool:
    return all(part not in test.id() or system.confinement is needed for part, needed in _ONLY_WITH.items())


@contextlib.contextmanager
def _tree_for(installed: pathlib.Path, system: System) -> Iterator[pathlib.Path]:
    """The tree; for an enforcing hypervisor one that has the policy, too."""
    if system.confinement is not Confinement.SELINUX or enforcing.has_policy(installed):
        yield installed
        return
    with tempfile.TemporaryDirectory() as work:
        with _measured("SELinux policy"):
            tree = enforcing.tree_with_policy(installed, pathlib.Path(work))
        yield tree


def _run(batches: Iterable[list[unittest.TestCase]], tree: pathlib.Path, system: System,
         recording: list[pathlib.Path] | None) -> tuple[int, int]:
    """How many tests passed, and how many failed."""
    with Hypervisor(tree, system) as hypervisor:
        stage = Stage(hypervisor)
        with _measured("start"):
            stage.ready()
            if hypervisor.enforcing:
                enforcing.load(hypervisor)
            with ThreadPoolExecutor() as pool:
                list(pool.map(stage.run_guest, _USUAL_GUESTS))
            if system.confinement is Confinement.APPARMOR:
                apparmor.assert_confines(hypervisor)
        Case.stand_on(stage)
        recorder = rows.Recorder(hypervisor, rows.read_rows(recording[0]),
                                 recording[1] / f"{os.getpid()}") if recording else None
        result = _Result(stage, recorder)
        for tests in batches:
            unittest.TestSuite(tests).run(result)
        if recorder:
            recorder.stop()
    failed = len({id(test) for test, _ in result.failures + result.errors})
    return result.testsRun - failed, failed


@contextlib.contextmanager
def _measured(what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(f"{time.monotonic() - started:6.1f} s  {what}", flush=True)


class _Result(unittest.TestResult):
    """A line a test, and after a failure what the daemon and libvirt have to say."""

    def __init__(self, stage: Stage, recorder: rows.Recorder | None) -> None:
        super().__init__()
        self._stage = stage
        self._recorder = recorder
        self._started = 0.0
        self._problems = 0

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._started, self._problems = time.monotonic(), 0

    def stopTest(self, test: unittest.TestCase) -> None:
        verdict = f"FAILED {test.id()}" if self._problems else test.id()
        print(f"{time.monotonic() - self._started:6.1f} s  {verdict}", flush=True)
        if self._recorder:
            self._recorder.end_of(test.id())
        super().stopTest(test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        print(f"skipped: {reason}", flush=True)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)  # type: ignore[arg-type]
        self._explain(test, self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)  # type: ignore[arg-type]
        self._explain(test, self.errors[-1][1])

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        super().addSubTest(test, subtest, err)  # type: ignore[arg-type]
        if err is not None:
            (self.failures if issubclass(err[0], test.failureException) else self.errors)[-1] = (test, "")
            self._explain(test, f"{subtest}: {self._exc_info_to_string(err, test)}")  # type: ignore[attr-defined]

    def _explain(self, test: unittest.TestCase, trace: str) -> None:
        self._problems += 1
        print(f"---- {test.id()}\n{trace}", flush=True)
        try:
            print(describe(self._stage, getattr(test, "start_of_log", 0)), flush=True)
        except Exception as error:  # the hypervisor itself may be what failed
            print(f"no more can be told: {error!r}\n{self._stage.hypervisor.console()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
