# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""ext4 disk images out of directory trees: no mount, no loop device, no privilege."""

import os
import pathlib
import subprocess
import tempfile


def make_disk(tree: pathlib.Path, disk: pathlib.Path, megabytes: int) -> None:
    """Write `tree`, with its owners and modes, into the new sparse image `disk` of that many MiB.

    No journal and no lazy initialisation: every boot works on a throw-away overlay of it.
    """
    subprocess.run(
        ["/sbin/mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0",
         "-E", "root_owner=0:0,lazy_itable_init=0", "-d", str(tree), str(disk), f"{megabytes}M"],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def make_root_owned_disk(tree: pathlib.Path, disk: pathlib.Path) -> None:
    """Like make_disk, sized to fit, and every file belongs to root whoever owns it in `tree`."""
    paths = [os.path.join(folder, name)
             for folder, folders, files in os.walk(tree) for name in folders + files]
    content = sum(os.lstat(path).st_size for path in paths)
    make_disk(tree, disk, megabytes=16 + 2 * content // 2**20 + len(paths) // 128)
    foreign = [path for path in paths if os.lstat(path).st_uid != 0 or os.lstat(path).st_gid != 0]
    _give_to_root(disk, [os.path.relpath(path, tree) for path in foreign])


def _give_to_root(disk: pathlib.Path, paths: list[str]) -> None:
    """Set owner and group of `paths` inside the image; debugfs does it without privilege."""
    if not paths:
        return
    with tempfile.NamedTemporaryFile("w") as script:
        for path in paths:
            script.write(f'sif "/{path}" uid 0\nsif "/{path}" gid 0\n')
        script.flush()
        subprocess.run(["/sbin/debugfs", "-w", "-f", script.name, str(disk)], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
