# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The suite on several hypervisors at a time. One by itself leaves a processor idle for much of the time.

What measures time runs first, on a machine that does nothing else. The classes of the other tests wait in a queue: a
machine that has done with one takes the next.
"""

import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
import unittest
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO

_MEASURING = ("test_latency.", "test_chaos.")
_EVERYWHERE = "test_whole_run."
_NEXT = "ready for more tests"


def run(tests: Iterable[unittest.TestCase], suite: list[str], machines: int) -> tuple[int, int]:
    """How many tests passed, and how many failed. `suite`: the command line of one machine that takes tests_asked_for."""
    sizes = Counter(_class_of(test) for test in tests)
    sizes.pop(_EVERYWHERE + "WholeRun.", None)
    largest_first = sorted(sizes, key=lambda name: -sizes[name])
    measuring = [name for name in largest_first if name.startswith(_MEASURING)]
    results = _run_all(measuring, suite, 1) if measuring else []
    results += _run_all([name for name in largest_first if name not in measuring], suite, machines)
    return sum(passed for passed, _ in results), sum(failed for _, failed in results)


def names_for(names: list[str]) -> list[str]:
    """The names of tests on the command line of one machine: each runs what is last, too."""
    return [*names, _EVERYWHERE] if names else []


def tests_asked_for(tests: list[unittest.TestCase]) -> Iterator[list[unittest.TestCase]]:
    """In the process of a machine: the tests of each name that is read from standard input, which is asked for."""
    print(_NEXT, flush=True)
    for line in sys.stdin:
        yield [test for test in tests if test.id().startswith(line.strip())]
        print(_NEXT, flush=True)


def _class_of(test: unittest.TestCase) -> str:
    return test.id().rpartition(".")[0] + "."


def _run_all(names: list[str], suite: list[str], machines: int) -> list[tuple[int, int]]:
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in names:
        waiting.put(name)
    results: list[tuple[int, int]] = []
    threads = [threading.Thread(target=lambda number=number: results.append(_run(waiting, suite, number)))
               for number in range(1, min(machines, len(names)) + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not waiting.empty():  # all machines have ended before their time, and said so
        results.append((0, waiting.qsize()))
    return results


def _run(waiting: "queue.SimpleQueue[str]", suite: list[str], number: int) -> tuple[int, int]:
    """One machine, until nothing waits. Its lines are shown as they come, with its number in front."""
    closing = None
    with subprocess.Popen(suite, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace") as process:
        assert process.stdin is not None and process.stdout is not None
        names = _until_empty(waiting)
        for line in process.stdout:
            closing = re.fullmatch(r"(\d+) passed, (\d+) failed\n", line)
            if line.rstrip() == _NEXT:
                _tell(process.stdin, next(names, None))
            elif not closing:
                print(f"{number}| {line}", end="", flush=True)
    passed, failed = (int(closing[1]), int(closing[2])) if closing else (0, 1)
    return passed, max(failed, 1 if process.returncode != 0 else 0)


def _until_empty(waiting: "queue.SimpleQueue[str]") -> Iterator[str]:
    """The names that wait, and last what each machine does."""
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            yield _EVERYWHERE
            return


def _tell(machine: IO[str], name: str | None) -> None:
    """Its next tests, or that there are none. One that has died meanwhile is found by its exit code."""
    if name is None:
        machine.close()
        return
    with contextlib.suppress(BrokenPipeError):
        os.write(machine.fileno(), f"{name}\n".encode())
