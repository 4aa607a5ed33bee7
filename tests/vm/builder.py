#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Runs a command on another release of Debian than this machine's: in a folder that has it, made once.

    builder.py RELEASE --packages "PACKAGE ..." FOLDER COMMAND...

A PACKAGE may be one of another processor's, beside this machine's own: libvirt-dev:arm64.
Inside, the project is /project, where the command starts, and cannot be written to; FOLDER is /build.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys

import bootstrap
from bootstrap import BuildFailed
from processes import die_with_parent
from progress import say
from releases import RELEASES, Release

_PROJECT = pathlib.Path(__file__).resolve().parents[2]
_DPKG_OPTIONS = tuple(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "info", "locale", "man"))
_CUSTOMIZE_HOOK = 'mkdir "$1/project" "$1/build" && rm -rf "$1/var/lib/apt/lists" "$1/var/cache/apt"'
# $1: the folder with Debian, $2: the project, $3: what to write to. The mounts are this process's own.
_ENTER = """
root=$1 project=$2 build=$3
shift 3
mount --bind "$root" "$root"
mount --bind "$project" "$root/project"
mount --bind "$build" "$root/build"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -o remount,bind,ro "$root"
mount -o remount,bind,ro "$root/project"
cd "$root"
pivot_root . mnt  # in a chroot nobody may make the user namespaces that some tests are in
umount -l mnt
exec env --chdir=/project "$@"
"""


def run(release: Release, packages: list[str], folder: pathlib.Path, command: list[str]) -> int:
    """Its exit status."""
    options = [*_DPKG_OPTIONS, *_architectures(packages), f"--customize-hook={_CUSTOMIZE_HOOK}"]
    root = bootstrap.kept(f"{release}-builder-{bootstrap.digest(release.name, packages, options)}",
                          lambda building: bootstrap.install(release, packages, building / "root", options)) / "root"
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in ("DEB_BUILD_OPTIONS", "TERM") if name in os.environ}
    enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-ec", _ENTER, "enter"]
    return subprocess.run([*enter, str(root), str(_PROJECT), str(folder.resolve()), *command],
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", **kept},
                          stdin=subprocess.DEVNULL, preexec_fn=die_with_parent(signal.SIGTERM)).returncode


def _architectures(packages: list[str]) -> list[str]:
    foreign = {name.partition(":")[2] for name in packages} - {""}
    own = subprocess.run(["dpkg", "--print-architecture"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return [f"--architectures={','.join([own, *sorted(foreign)])}"] if foreign else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", choices=RELEASES, metavar="RELEASE")
    parser.add_argument("--packages", required=True, help="with what the command needs")
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    options = parser.parse_args()
    try:
        return run(RELEASES[options.release], sorted(options.packages.split()), options.folder, options.command)
    except BuildFailed as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
