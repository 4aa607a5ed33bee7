#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Tests of the Debian packages that ./package has built.

A test is named by its file, class or method, or by a part of file.Class.method; without names, all are run.
"""

import argparse
import pathlib
import sys
import time
import unittest

from deb import Debs
import systems


class _Result(unittest.TextTestResult):
    """A line a test, with the time that it took."""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._started = time.monotonic()

    def stopTest(self, test: unittest.TestCase) -> None:
        self.stream.writeln(f"{time.monotonic() - self._started:6.1f} s  {test.id()}")
        super().stopTest(test)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", required=True, type=pathlib.Path, help="the folder with the packages")
    systems.add_options(parser)
    parser.add_argument("tests", nargs="*", metavar="TEST")
    options = parser.parse_args()
    Debs.folder, Debs.system = options.packages.resolve(), systems.chosen(options)
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{name.removesuffix('.py')}*" for name in options.tests] or None
    suite = loader.discover(str(pathlib.Path(__file__).parent), "*_test.py")
    if suite.countTestCases() == 0:
        parser.error("no test has such a name")
    result = unittest.TextTestRunner(verbosity=0, resultclass=_Result).run(suite)
    # A class that fails before its first test counts as one test that failed.
    failed = len({str(test) for test, _ in result.failures + result.errors})
    print(f"{max(result.testsRun - failed, 0)} passed, {failed} failed", flush=True)
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
