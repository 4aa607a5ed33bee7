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
from architectures import Architecture
from machine import KERNEL_OPTIONS, Machine, hardware
from progress import exclusive, step
from systems import System

# libvirtd answers once it has looked at its QEMU; the look is kept in memory and on the disk.
_LIBVIRT_READY = "until {}; do sleep 0.2; done; sync"
_ASK_LIBVIRT = "virsh domcapabilities --virttype qemu --machine {}"
_READY_SECONDS = 120


def saved_state(built: pathlib.Path, system: System) -> pathlib.Path | None:
    """The directory with the state for the image in `built`, saved now unless it is there already.

    None where booting is as good: with KVM, whose state belongs to one processor model and one kernel.
    """
    if accelerator.best(system.architecture) == accelerator.KVM:
        return None
    finished = built / f"saved-{system.confinement.name.lower()}-{_hardware_hash(system)}"
    if not finished.is_dir():
        if not os.access(built, os.W_OK):
            return None
        with exclusive(built / "lock"):
            if not finished.is_dir():
                _save(built, finished, system)
    return finished


def _hardware_hash(system: System) -> str:
    """A state only fits the very QEMU and hardware that it was saved with; new boot options deserve a new one."""
    version = subprocess.run([system.architecture.qemu, "--version"], check=True, stdout=subprocess.PIPE).stdout
    told = (hardware(system.architecture), KERNEL_OPTIONS, system.confinement.value)
    return hashlib.sha256(version + repr(told).encode()).hexdigest()[:12]


def _save(built: pathlib.Path, finished: pathlib.Path, system: System) -> None:
    """Boot, save beside `finished` and rename at the end: the directory is complete or absent."""
    for old in [*built.glob("saving-*"), *built.glob(f"saved-{system.confinement.name.lower()}-*")]:
        shutil.rmtree(old)
    saving = pathlib.Path(tempfile.mkdtemp(prefix="saving-", dir=built))
    try:
        with step("booting once, to go on from there next time"):
            disk = saving / "disk.qcow2"
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "../disk.img", str(disk)],
                           check=True, stdin=subprocess.DEVNULL)
            with Machine(built, system.architecture, system.confinement.value, disk=disk) as machine:
                _await_libvirt(machine, system.architecture)
                machine.save(saving / "memory")
        saving.chmod(0o755)
        saving.rename(finished)
    except BaseException:
        shutil.rmtree(saving, ignore_errors=True)
        raise


def _await_libvirt(machine: Machine, architecture: Architecture) -> None:
    script = _LIBVIRT_READY.format(" && ".join(_ASK_LIBVIRT.format(kind) for kind in architecture.guest_machines))
    if machine.agent.wait(machine.agent.start(["/bin/sh", "-c", script]), _READY_SECONDS) is None:
        raise TimeoutError(f"libvirtd did not answer within {_READY_SECONDS} s\n{machine.console(30)}")
    time.sleep(1)  # for what else starts at boot to settle
