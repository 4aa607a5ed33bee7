# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Connections to the sockets that QEMU makes."""

import pathlib
import socket


def connect(path: pathlib.Path | str) -> socket.socket:
    """A connected Unix stream socket. Raises OSError, above all while QEMU has not made it yet."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.connect(str(path))
    except OSError:
        made.close()
        raise
    return made
