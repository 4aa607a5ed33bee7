#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Builds the embedded hypervisor's disk, once per recipe, and prints the directory that holds it.

With --enforcing: the one with SELinux. Debian packages come from wherever this machine's own apt gets Debian from. Needs root (for the owners of
the files), mmdebstrap and e2fsprogs.
"""

import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import disks
import recipe
import recipe_enforcing
from processes import die_with_parent
from progress import exclusive, say, step

DISK_MEGABYTES = 2048  # sparse; what a boot writes beyond the packages goes to an overlay that fits in here
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class BuildFailed(Exception):
    """The image could not be built; the text says at which step and why."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """One of the images; its kernel options belong to it."""
    name: str
    packages: tuple[str, ...]
    kernel_options: str
    label: str  # a script for the finished tree


def _enforcing() -> Kind:
    own = hashlib.sha256(pathlib.Path(recipe_enforcing.__file__).read_bytes()).hexdigest()[:12]
    return Kind(f"image-{recipe.recipe_hash()}-enforcing-{own}", recipe.PACKAGES + recipe_enforcing.PACKAGES,
                recipe_enforcing.KERNEL_OPTIONS, recipe_enforcing.LABEL)


PLAIN = Kind(f"image-{recipe.recipe_hash()}", recipe.PACKAGES, "", "")
ENFORCING = _enforcing()


def image_directory(kind: Kind = PLAIN) -> pathlib.Path:
    """The directory with disk.img, vmlinuz, initrd and options, built now unless this recipe's is there already."""
    cache = _cache_root()
    finished = cache / kind.name
    if finished.is_dir():
        return finished
    cache.mkdir(parents=True, exist_ok=True)
    with exclusive(cache / "lock"):
        if not finished.is_dir():
            _remove_leftovers(cache)
            _build(finished, kind)
    return finished


def _cache_root() -> pathlib.Path:
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(home) / "whawty-libvirt-usb-hotplugd"


def _remove_leftovers(cache: pathlib.Path) -> None:
    """Delete older recipes' images and what interrupted builds left; a machine running on one keeps its open files."""
    for old in [*cache.glob("image-*"), *cache.glob("building-*")]:
        if old.name not in (PLAIN.name, ENFORCING.name):
            shutil.rmtree(old)


def _build(finished: pathlib.Path, kind: Kind) -> None:
    """Build beside `finished` and rename at the end: the directory is complete or absent."""
    if os.geteuid() != 0:
        raise BuildFailed("building the hypervisor image needs root: its files belong to many users")
    started = time.monotonic()
    building = pathlib.Path(tempfile.mkdtemp(prefix="building-", dir=finished.parent))
    try:
        tree = building / "tree"
        with step("image: installing Debian packages", building / "log"):
            _install_packages(kind, tree, building)
        with step("image: writing the disk"):
            _take_boot_files(tree, building)
            _label(kind, tree)
            disks.make_disk(tree, building / "disk.img", DISK_MEGABYTES)
            shutil.rmtree(tree)
        (building / "options").write_text(kind.kernel_options)
        building.chmod(0o755)
        building.rename(finished)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    say(f"image: built in {time.monotonic() - started:.0f} s: {finished}")


def _install_packages(kind: Kind, tree: pathlib.Path, building: pathlib.Path) -> None:
    """Run mmdebstrap into `tree`; `building`/log holds all that it says."""
    sources = building / "debian.sources"
    sources.write_text(debian_sources(_apt("apt-get", "indextargets", "Created-By: Packages")))
    apt_settings = building / "apt.conf"
    apt_settings.write_text(_acquire_settings())
    command = [
        *_private_mounts(), "mmdebstrap", "--verbose", "--mode=root", "--format=directory", "--variant=minbase",
        f"--include={','.join(kind.packages)}",
        f"--aptopt={apt_settings}",
        *(f"--dpkgopt={option}" for option in recipe.DPKG_OPTIONS),
        f"--essential-hook={recipe.ESSENTIAL_HOOK}",
        f"--customize-hook={recipe.CUSTOMIZE_HOOK}",
        recipe.SUITES[0], str(tree), str(sources),
    ]
    with (building / "log").open("w") as log:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              preexec_fn=die_with_parent(signal.SIGTERM))
    sources.unlink()
    apt_settings.unlink()  # it may name a proxy's password
    if done.returncode != 0:
        tail = "\n".join((building / "log").read_text(errors="replace").splitlines()[-25:])
        raise BuildFailed(f"mmdebstrap ended with {done.returncode}:\n{tail}")


def _private_mounts() -> list[str]:
    """A prefix that gives the build mounts of its own: killed at any moment, it leaves none behind.

    Where the kernel refuses that (a container without privileges), mmdebstrap can't mount anything either.
    """
    prefix = ["unshare", "--mount", "--"]
    allowed = subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode == 0
    return prefix if allowed else []


def debian_sources(targets: str) -> str:
    """Out of `apt-get indextargets`, whatever format its sources have, Debian's own as one deb822 text.

    Third parties may use the same suite names: a source counts if its index says that its origin is Debian or, before
    the first apt-get update, if its address ends like a Debian archive's.
    """
    found = {}
    for stanza in targets.strip().split("\n\n"):
        field = dict(re.findall(r"^([\w-]+): (.*)$", stanza, re.MULTILINE))
        uri, suite = field.get("Repo-URI", ""), field.get("Release", "")
        origin = field.get("Origin") or ("Debian" if re.search(r"/debian(-security)?(\.list)?/?$", uri) else "")
        if suite in recipe.SUITES and field.get("Component") == "main" and origin == "Debian":
            found[suite] = f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n"
    if recipe.SUITES[0] not in found:
        raise BuildFailed(f"this machine's apt has no source of Debian {recipe.SUITES[0]} main")
    return "\n".join(found.values())


def _acquire_settings() -> str:
    """How this machine's apt downloads (proxies, timeouts, ...), for the apt that fills the image."""
    own = _apt("apt-config", "dump", "--no-empty", "--format", '%F "%v";%n')
    kept = [line for line in own.splitlines()
            if line.startswith("Acquire::") and not line.startswith("Acquire::IndexTargets::")]
    return "\n".join([*kept, 'Acquire::Languages "none";', 'APT::Sandbox::User "root";', ""])


def _apt(*command: str) -> str:
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout


def _take_boot_files(tree: pathlib.Path, destination: pathlib.Path) -> None:
    """Move the kernel and its initrd out: QEMU loads them itself."""
    for name, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd", "initrd.img-*")):
        (found,) = (tree / "boot").glob(pattern)
        shutil.move(found, destination / name)


def _label(kind: Kind, tree: pathlib.Path) -> None:
    done = subprocess.run([*_private_mounts(), "sh", "-c", kind.label, "label", str(tree)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise BuildFailed(f"labelling the files: {done.stdout}")


def main() -> int:
    try:
        print(image_directory(ENFORCING if "--enforcing" in sys.argv[1:] else PLAIN))
    except BuildFailed as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
