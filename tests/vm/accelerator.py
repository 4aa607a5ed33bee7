# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Which of QEMU's accelerators is worth using on this machine."""

import functools
import os
import pathlib
import signal
import subprocess
import tempfile

from architectures import AMD64, Architecture
from processes import die_with_parent

# mov dx,0x501; mov al,0x10; out dx,al; hlt: the debug port makes QEMU exit with 2 * 0x10 + 1.
_BOOT_SECTOR = bytes.fromhex("ba0105 b010 ee f4").ljust(510, b"\0") + b"\x55\xaa"
_SUCCESS = 0x21
# A real KVM takes a quarter of this. /dev/kvm also exists on clouds that emulate it, at a fiftieth of the
# speed of QEMU's own emulation.
_PROBE_SECONDS = 2.0

KVM = "kvm"
TCG = "tcg,thread=multi"


def best(architecture: Architecture) -> str:
    """KVM if it boots a tiny program fast, else QEMU's emulation. The text is for QEMU's -accel."""
    return KVM if architecture is AMD64 and _has_kvm() else TCG


def processor(architecture: Architecture) -> str:
    """The text for QEMU's -cpu. Emulated, a newer x86 is slower, with five-level page tables, SMAP and AVX.

    That of arm64 signs return addresses and wants landing pads, as new ones do; by a way that is fast to emulate.
    """
    if architecture is AMD64:
        return "max" if best(architecture) == KVM else "Nehalem"
    return "max,pauth-impdef=on,sve=off"


@functools.cache
def _has_kvm() -> bool:
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and _boots(KVM)


def _boots(accelerator: str) -> bool:
    with tempfile.TemporaryDirectory() as directory:
        disk = pathlib.Path(directory) / "boot"
        disk.write_bytes(_BOOT_SECTOR)
        command = ["qemu-system-x86_64", "-accel", accelerator, "-m", "16", "-display", "none", "-nodefaults",
                   "-no-user-config", "-device", "isa-debug-exit,iobase=0x501,iosize=1",
                   "-drive", f"file={disk},format=raw"]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=_PROBE_SECONDS,
                                  preexec_fn=die_with_parent(signal.SIGKILL))
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == _SUCCESS
