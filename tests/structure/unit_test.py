#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What systemd-analyze has to say of the unit: nothing. Its program need not be installed for that."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

_UNIT = pathlib.Path(sys.argv.pop())


class Unit(unittest.TestCase):
    def setUp(self) -> None:
        self.text = _UNIT.read_text()

    def test_systemd_understands_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / _UNIT.name
            copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", self.text, flags=re.MULTILINE))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)],
                                  capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_options_of_a_drop_in_are_those_of_the_program(self) -> None:
        """As the log advises where there is no Landlock, and as the guide does."""
        self.assertIn("Environment=OPTIONS=\n", self.text)
        self.assertRegex(self.text, r"(?m)^ExecStart=\S+ \$OPTIONS \S+$")

    def test_it_comes_after_either_libvirt_and_starts_none(self) -> None:
        after = " ".join(re.findall(r"^After=(.*)$", self.text, re.MULTILINE)).split()
        for daemon in ("libvirtd", "virtqemud"):
            self.assertLessEqual({f"{daemon}.service", f"{daemon}.socket"}, set(after))
        self.assertNotRegex(self.text, r"(?m)^(Wants|Requires|BindsTo)=")


if __name__ == "__main__":
    unittest.main()
