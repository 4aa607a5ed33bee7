# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The state of a hypervisor that has just booted: under emulation, going on from it spares half a minute.

Kept beside the image it belongs to, one for each confinement: memory, and an overlay of the disk.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import accelerator
from machine import KERNEL_OPTIONS, Machine, hardware
from progress import exclusive, step
from systems import Confinement

# libvirtd answers once it has looked at its QEMU; the look is kept in memory and on the disk.
_LIBVIRT_READY = ("until virsh domcapabilities --virttype qemu --machine q35 && "
                  "virsh domcapabilities --virttype qemu --machine pc; do sleep 0.2; done; "
                  "sync")
_READY_SECONDS = 120


def saved_state(built: pathlib.Path, confinement: Confinement) -> pathlib.Path | None:
    """The directory with the state for the image in `built`, saved now unless it is there already.

    None where booting is as good: with KVM, whose state belongs to one processor model and one kernel.
    """
    if accelerator.best() == accelerator.KVM:
        return None
    finished = built / f"saved-{confinement.name.lower()}-{_hardware_hash(confinement)}"
    if not finished.is_dir():
        if not os.access(built, os.W_OK):
            return None
        with exclusive(built / "lock"):
            if not finished.is_dir():
                _save(built, finished, confinement)
    return finished


def _hardware_hash(confinement: Confinement) -> str:
    """A state only fits the very QEMU and hardware that it was saved with; new boot options deserve a new one."""
    version = subprocess.run(["qemu-system-x86_64", "--version"], check=True, stdout=subprocess.PIPE).stdout
    return hashlib.sha256(version + repr((hardware(), KERNEL_OPTIONS, confinement.value)).encode()).hexdigest()[:12]


def _save(built: pathlib.Path, finished: pathlib.Path, confinement: Confinement) -> None:
    """Boot, save beside `finished` and rename at the end: the directory is complete or absent."""
    for old in [*built.glob("saving-*"), *built.glob(f"saved-{confinement.name.lower()}-*")]:
        shutil.rmtree(old)
    saving = pathlib.Path(tempfile.mkdtemp(prefix="saving-", dir=built))
    try:
        with step("booting once, to go on from there next time"):
            disk = saving / "disk.qcow2"
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "../disk.img", str(disk)],
                           check=True, stdin=subprocess.DEVNULL)
            with Machine(built, confinement.value, disk=disk) as machine:
                _await_libvirt(machine)
                machine.save(saving / "memory")
        saving.chmod(0o755)
        saving.rename(finished)
    except BaseException:
        shutil.rmtree(saving, ignore_errors=True)
        raise


def _await_libvirt(machine: Machine) -> None:
    if machine.agent.wait(machine.agent.start(["/bin/sh", "-c", _LIBVIRT_READY]), _READY_SECONDS) is None:
        raise TimeoutError(f"libvirtd did not answer within {_READY_SECONDS} s\n{machine.console(30)}")
    time.sleep(1)  # for what else starts at boot to settle
