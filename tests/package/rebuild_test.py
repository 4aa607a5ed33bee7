# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Reproducible: a build elsewhere, at another time, by another user, in another locale and time zone, with another
umask, environment, number of processors and age of the sources gives the same bytes."""

import hashlib
import os
import pathlib
import subprocess
import tempfile
import unittest

from deb import PROJECT, Debs, output, unpack

_NOBODY = 65534
_AGE = 981173106  # of the sources, in seconds since 1970: of the year 2001
_BUILD_SECONDS = 1800
# Only the clock is another: faketime would show file times moved by as much, which no real clock does.
_BUILD = f"""
umask 0027
cd "$1"
export NO_FAKE_STAT=1
exec setpriv --reuid={_NOBODY} --regid={_NOBODY} --clear-groups \
    faketime -f -500d dpkg-buildpackage --build=binary --no-sign
"""
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent", "SHELL": "/bin/sh", "USER": "nobody",
                "LC_ALL": "C.UTF-8", "LANGUAGE": "fr", "TZ": "Pacific/Kiritimati",
                "DEB_BUILD_OPTIONS": f"parallel={len(os.sched_getaffinity(0)) + 1}"}


def build_elsewhere(folder: pathlib.Path) -> None:
    """Leaves the packages in `folder`."""
    source = folder / "source-in-another-place"
    subprocess.run(["bash", "-ec", '. tools/setup.sh; copy_sources "$1"', "-", source], cwd=PROJECT, check=True)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)
        os.utime(path, (_AGE, _AGE), follow_symlinks=False)
    done = subprocess.run(["bash", "-c", _BUILD, "-", source], env=_ENVIRONMENT, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_BUILD_SECONDS, check=False)
    if done.returncode != 0:
        raise AssertionError("\n".join(done.stdout.splitlines()[-40:]))


def digests(folder: pathlib.Path) -> dict[str, str]:
    return {deb.name: hashlib.sha256(deb.read_bytes()).hexdigest() for deb in sorted(folder.glob("*.deb"))}


def inside(folder: pathlib.Path) -> list[str]:
    """What to compare where packages differ: modes, owners, times and digests of all files."""
    lines = []
    for deb in sorted(folder.glob("*.deb")):
        with tempfile.TemporaryDirectory() as scratch:
            unpack(deb, pathlib.Path(scratch))
            lines += output("dpkg-deb", "--contents", deb).splitlines()
            lines += [f"{deb.name} {path.relative_to(scratch)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
                      for path in sorted(pathlib.Path(scratch).rglob("*")) if path.is_file()]
    return lines


class Rebuild(unittest.TestCase):
    maxDiff = None

    def test_a_second_build_gives_the_same_bytes(self) -> None:
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="another-and-longer-path-")))
        build_elsewhere(folder)
        self.assertGreaterEqual(len(Debs.all()), 2)
        if digests(folder) != digests(Debs.folder):
            self.assertEqual(inside(folder), inside(Debs.folder))
            self.fail("the packages differ in nothing but their archives")
