# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Programs of another processor run on this machine while a folder with its packages is made (binfmt_misc)."""

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator

from architectures import AMD64, Architecture

_KERNEL = pathlib.Path("/proc/sys/fs/binfmt_misc")
_KNOWN = pathlib.Path("/usr/lib/binfmt.d")  # the package qemu-user-static has its formats there


@contextlib.contextmanager
def programs_run(architecture: Architecture) -> Iterator[None]:
    """Where the kernel does not know their format yet, as without systemd, it is told, and told to forget it."""
    entry = _KERNEL / f"qemu-{architecture.processor}"
    with contextlib.ExitStack() as stack:
        if architecture is not AMD64:
            if not (_KERNEL / "register").exists():
                subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(_KERNEL)], check=True)
                stack.callback(subprocess.run, ["umount", str(_KERNEL)], check=True)
            if not entry.exists():
                (_KERNEL / "register").write_text((_KNOWN / f"{entry.name}.conf").read_text())
                stack.callback(entry.write_text, "-1")
        yield
