# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the virtual hypervisor is: a release of Debian, what confines its processes, and its processor."""

import argparse
import dataclasses
import enum

import releases
from architectures import AMD64, ARCHITECTURES, Architecture
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
    architecture: Architecture = AMD64

    @property
    def options(self) -> list[str]:
        """The command line that gives another program of the harness the same system."""
        confined = {Confinement.APPARMOR: ["--apparmor"], Confinement.SELINUX: ["--enforcing"]}
        return ["--release", self.release.name, "--architecture", self.architecture.name,
                *confined.get(self.confinement, [])]


def add_options(parser: argparse.ArgumentParser, enforcing: bool = False) -> None:
    parser.add_argument("--release", choices=RELEASES, help="of Debian; else this machine's")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default=AMD64.name, help="that it emulates")
    confined = parser.add_mutually_exclusive_group()
    confined.add_argument("--apparmor", dest="confinement", action="store_const", const=Confinement.APPARMOR,
                          default=Confinement.NONE, help="libvirtd and its guests are confined, as usual on Debian")
    if enforcing:
        confined.add_argument("--enforcing", dest="confinement", action="store_const", const=Confinement.SELINUX,
                              help="SELinux enforces; see selinux/README.md")


def chosen(options: argparse.Namespace) -> System:
    release = RELEASES[options.release] if options.release else releases.own()
    return System(release, options.confinement, ARCHITECTURES[options.architecture])
