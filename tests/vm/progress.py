# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Long steps: they say on stderr that they go on, and two of them at a time do not collide."""

import contextlib
import fcntl
import pathlib
import sys
import threading
import time
from collections.abc import Iterator

_PROGRESS_SECONDS = 5


def say(text: str) -> None:
    print(f"hypervisor: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(what: str, log: pathlib.Path | None = None) -> Iterator[None]:
    """Say that a step starts, that it goes on (with the last line of its log) and how long it took."""
    started, over = time.monotonic(), threading.Event()

    def still() -> None:
        while not over.wait(_PROGRESS_SECONDS):
            last = log.read_text(errors="replace").rstrip().rpartition("\n")[2] if log and log.exists() else ""
            say(f"{what}: {time.monotonic() - started:.0f} s {last[:100]}".rstrip())

    say(what)
    thread = threading.Thread(target=still, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    say(f"{what}: done in {time.monotonic() - started:.1f} s")


@contextlib.contextmanager
def exclusive(lock: pathlib.Path) -> Iterator[None]:
    """Hold a lock file; the kernel gives it back however the holder ends."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("waiting for another process that builds"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
