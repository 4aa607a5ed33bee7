# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What tests know of Debian packages: where they are, what is in one, and a newer one out of it."""

import pathlib
import re
import subprocess
import sys

NAME = "whawty-libvirt-usb-hotplugd"
PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "tests" / "vm"))
from systems import System  # noqa: E402


class Debs:
    """The folder that ./package has filled, and the system of a virtual hypervisor that they were built for."""
    folder: pathlib.Path
    system: System

    @classmethod
    def all(cls) -> list[pathlib.Path]:
        return sorted(cls.folder.glob("*.deb"))

    @classmethod
    def one(cls, package: str = NAME) -> pathlib.Path:
        (found,) = cls.folder.glob(f"{package}_*.deb")
        return found


def output(*command: str | pathlib.Path) -> str:
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout


def field(deb: pathlib.Path, name: str) -> str:
    return output("dpkg-deb", "--field", deb, name).strip()


def unpack(deb: pathlib.Path, directory: pathlib.Path) -> None:
    """Its files, and its control files in DEBIAN/."""
    subprocess.run(["dpkg-deb", "--raw-extract", deb, directory], check=True, stdin=subprocess.DEVNULL)


def make_newer(deb: pathlib.Path, directory: pathlib.Path, scratch: pathlib.Path) -> pathlib.Path:
    """The same package with a higher version, in `directory`."""
    unpack(deb, scratch)
    control = scratch / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+newer", control.read_text()))
    newer = directory / f"newer-{deb.name}"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Znone", scratch, newer], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return newer
