# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Flags that a distribution may bring do not conflict with the project's own, where a warning is an error."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from deb import PROJECT

_OBJECT = "common/CMakeFiles/common.dir/text.cpp.o"


class Flags(unittest.TestCase):
    def compile_command(self, flags: str) -> str:
        """What text.cpp is compiled with, given these flags; it is compiled."""
        build = self.enterContext(tempfile.TemporaryDirectory())
        environment = {**os.environ, "CXXFLAGS": flags}
        for command in (["cmake", "-S", PROJECT, "-B", build, "-G", "Ninja", "-DBUILD_TESTING=OFF"],
                        ["ninja", "-v", "-C", build, _OBJECT]):
            done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue((pathlib.Path(build) / _OBJECT).exists())
        return done.stdout

    def test_without_flags_it_is_fortified(self) -> None:
        self.assertIn("-D_FORTIFY_SOURCE=2", self.compile_command(""))

    def test_their_degree_of_fortification_counts(self) -> None:
        command = self.compile_command("-O2 -D_FORTIFY_SOURCE=3")
        self.assertEqual(command.count("_FORTIFY_SOURCE"), 1)

    def test_without_optimization_there_is_none(self) -> None:
        self.assertNotIn("_FORTIFY_SOURCE", self.compile_command("-g -O0"))
