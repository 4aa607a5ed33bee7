# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the embedded hypervisor runs: a release of Debian, and what confines its processes."""

import argparse
import dataclasses
import enum

import releases
from releases import RELEASES, Release


class Confinement(enum.Enum):
    """What the kernel is told for it."""
    NONE = "apparmor=0"
    APPARMOR = "apparmor=1 security=apparmor"
    SELINUX = "security=selinux selinux=1 enforcing=1 audit=1"


@dataclasses.dataclass(frozen=True)
class System:
    release: Release = dataclasses.field(default_factory=releases.own)
    confinement: Confinement = Confinement.NONE

    @property
    def options(self) -> list[str]:
        """The command line that gives another program of the harness the same system."""
        confined = {Confinement.APPARMOR: ["--apparmor"], Confinement.SELINUX: ["--enforcing"]}
        return ["--release", self.release.name, *confined.get(self.confinement, [])]


def add_options(parser: argparse.ArgumentParser, enforcing: bool = False) -> None:
    parser.add_argument("--release", choices=RELEASES, help="of Debian; else this machine's")
    confined = parser.add_mutually_exclusive_group()
    confined.add_argument("--apparmor", dest="confinement", action="store_const", const=Confinement.APPARMOR,
                          default=Confinement.NONE, help="libvirtd and its guests are confined, as usual on Debian")
    if enforcing:
        confined.add_argument("--enforcing", dest="confinement", action="store_const", const=Confinement.SELINUX,
                              help="SELinux enforces; see selinux/README.md")


def chosen(options: argparse.Namespace) -> System:
    release = RELEASES[options.release] if options.release else releases.own()
    return System(release, options.confinement)
