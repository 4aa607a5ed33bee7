# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The suite on several hypervisors at a time. One by itself leaves a processor idle for much of the time.

What measures time runs first, on a machine that does nothing else. The classes of the other tests are shared out.
"""

import re
import subprocess
import threading
import unittest
from collections import Counter
from collections.abc import Iterable

_MEASURING = ("test_latency.", "test_chaos.")
_EVERYWHERE = "test_whole_run."


def run(tests: Iterable[unittest.TestCase], suite: list[str], machines: int) -> tuple[int, int]:
    """How many tests passed, and how many failed. `suite`: the command line of one machine, without names of tests."""
    sizes = Counter(test.id().rpartition(".")[0] + "." for test in tests)
    sizes.pop(_EVERYWHERE + "WholeRun.", None)
    measuring = [name for name in sizes if name.startswith(_MEASURING)]
    results = [_run_all([measuring], suite)] if measuring else []
    results.append(_run_all(_shares({name: sizes[name] for name in sizes if name not in measuring}, machines), suite))
    return sum(passed for passed, _ in results), sum(failed for _, failed in results)


def _shares(sizes: dict[str, int], count: int) -> list[list[str]]:
    """The classes, shared out so that each share has about as many tests."""
    shares: list[list[str]] = [[] for _ in range(count)]
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        min(shares, key=lambda share: sum(sizes[one] for one in share)).append(name)
    return [share for share in shares if share]


def _run_all(shares: list[list[str]], suite: list[str]) -> tuple[int, int]:
    results: list[tuple[int, int]] = []
    threads = [threading.Thread(target=lambda share=share, number=number: results.append(_run(share, suite, number)))
               for number, share in enumerate(shares, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(passed for passed, _ in results), sum(failed for _, failed in results)


def _run(names: list[str], suite: list[str], number: int) -> tuple[int, int]:
    """One machine's share. Its lines are shown as they come, with its number in front."""
    command = [*suite, *names, _EVERYWHERE]
    closing = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        assert process.stdout is not None
        for line in process.stdout:
            closing = re.fullmatch(r"(\d+) passed, (\d+) failed\n", line)
            if not closing:
                print(f"{number}| {line}", end="", flush=True)
    passed, failed = (int(closing[1]), int(closing[2])) if closing else (0, 1)
    return passed, max(failed, 1 if process.returncode != 0 else 0)
