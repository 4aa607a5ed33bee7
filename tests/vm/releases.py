#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The releases of Debian that the daemon is for. One more is one more entry here.

Prints their names, this machine's first.
"""

import dataclasses
import platform


@dataclasses.dataclass(frozen=True)
class Release:
    """`libraries`: the packages with what the daemon links to, as this release names them."""
    name: str  # as in the archive, and VERSION_CODENAME of /etc/os-release
    libraries: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def suites(self) -> tuple[str, ...]:
        return self.name, f"{self.name}-updates", f"{self.name}-security"


_SAME_LIBRARIES = ("libpugixml1v5", "libseccomp2", "libmd0", "libvirt0", "libudev1")
RELEASES = {release.name: release for release in (
    Release("bookworm", ("libcapnp-0.9.2", "libyaml-cpp0.7", "libre2-9", *_SAME_LIBRARIES)),
    Release("trixie", ("libcapnp-1.1.0", "libyaml-cpp0.8", "libre2-11", *_SAME_LIBRARIES)),
)}


def own() -> Release:
    """This machine's."""
    system = platform.freedesktop_os_release()
    name = system.get("VERSION_CODENAME", "")
    if name not in RELEASES:
        raise SystemExit(f"this machine runs {system.get('PRETTY_NAME')} instead of Debian {' or '.join(RELEASES)}")
    return RELEASES[name]


if __name__ == "__main__":
    print(*sorted(RELEASES, key=lambda name: name != own().name), sep="\n")
