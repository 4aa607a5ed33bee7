#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Builds the virtual hypervisor's disk, once per recipe, and prints the directory that holds it.

Needs root (for the owners of the files), mmdebstrap and e2fsprogs.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys

import binfmt
import bootstrap
import disks
import recipe
import recipe_enforcing
import systems
from bootstrap import BuildFailed
from progress import say, step
from systems import Confinement, System

DISK_MEGABYTES = 2048  # sparse; what a boot writes beyond the packages goes to an overlay that fits in here


def image_directory(system: System) -> pathlib.Path:
    """The directory with disk.img, vmlinuz and initrd, built now unless this recipe's is there already.

    One serves without confinement and with AppArmor; the one with SELinux has labels.
    """
    selinux = system.confinement is Confinement.SELINUX
    recipes = [pathlib.Path(module.__file__ or "").read_bytes() for module in (recipe, *[recipe_enforcing] * selinux)]
    digest = bootstrap.digest(system.release, system.architecture, DISK_MEGABYTES, *recipes)
    name = f"{system.release}-{system.architecture}-{'selinux' if selinux else 'image'}-{digest}"
    return bootstrap.kept(name, lambda building: _build(building, system, selinux))


def _build(building: pathlib.Path, system: System, selinux: bool) -> None:
    tree = building / "tree"
    packages = (*recipe.PACKAGES, *system.architecture.packages, *system.release.libraries,
                *(recipe_enforcing.PACKAGES if selinux else ()))
    options = [f"--architectures={system.architecture}", *(f"--dpkgopt={option}" for option in recipe.DPKG_OPTIONS),
               f"--essential-hook={recipe.ESSENTIAL_HOOK}", f"--customize-hook={recipe.CUSTOMIZE_HOOK}"]
    with binfmt.programs_run(system.architecture):
        bootstrap.install(system.release, packages, tree, options)
    with step("image: writing the disk"):
        _take_boot_files(tree, building)
        if selinux:
            _label(tree)
        disks.make_disk(tree, building / "disk.img", DISK_MEGABYTES)
        shutil.rmtree(tree)


def _take_boot_files(tree: pathlib.Path, destination: pathlib.Path) -> None:
    """Move the kernel and its initrd out: QEMU loads them itself."""
    for name, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd", "initrd.img-*")):
        (found,) = (tree / "boot").glob(pattern)
        shutil.move(found, destination / name)


def _label(tree: pathlib.Path) -> None:
    done = subprocess.run([*bootstrap.private_mounts(), "sh", "-c", recipe_enforcing.LABEL, "label", str(tree)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise BuildFailed(f"labelling the files: {done.stdout}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    systems.add_options(parser, enforcing=True)
    try:
        print(image_directory(systems.chosen(parser.parse_args())))
    except BuildFailed as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
