# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Child processes that never outlive the harness."""

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(death: signal.Signals) -> Callable[[], None]:
    """A preexec_fn: the kernel sends `death` to the child when the thread that started it ends.

    So start such children from a thread that lives as long as they shall.
    """
    parent = os.getpid()

    def arrange() -> None:
        if _libc.prctl(_PR_SET_PDEATHSIG, int(death), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:  # it died before prctl
            os.kill(os.getpid(), signal.SIGKILL)

    return arrange
