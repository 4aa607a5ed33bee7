# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What Debian's own checks say."""

import subprocess
import unittest

from deb import PROJECT, Debs


def said(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout


class Lint(unittest.TestCase):
    def test_lintian_has_nothing_to_say_that_is_not_explained(self) -> None:
        self.assertEqual(said("lintian", "--allow-root", "--info", "--display-info", "--pedantic", *Debs.all()), "")

    def test_mandoc_has_nothing_to_say_about_the_manual_pages(self) -> None:
        pages = sorted((PROJECT / "docs").glob("*.[1-9]"))
        self.assertEqual(len(pages), 3)
        # Whether a page that is referred to is installed is no matter of ours.
        lines = [line for line in said("mandoc", "-Tlint", *pages).splitlines()
                 if "referenced manual not found" not in line and "outdated mandoc.db" not in line]
        self.assertEqual(lines, [])
