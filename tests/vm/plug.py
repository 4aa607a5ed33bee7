#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Plug and pull USB devices of a running virtual hypervisor, from another terminal.

    plug.py SOCKET plug ID [DRIVER] [PROPERTY=VALUE ...]    DRIVER: usb-tablet (default), usb-mouse, usb-kbd, usb-hub
    plug.py SOCKET unplug ID

SOCKET is what shell.py printed. Properties are QEMU's: serial=TAB1, port=3, ...
"""

import sys

from qmp import Qmp, QmpError


def main(arguments: list[str]) -> int:
    try:
        socket, action, id, *rest = arguments
        command, properties = _command(action, rest)
    except ValueError:
        print(__doc__.strip(), file=sys.stderr)
        return 1
    try:
        Qmp(socket).command(command, id=id, **properties)
    except (QmpError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _command(action: str, rest: list[str]) -> tuple[str, dict[str, str]]:
    """The QMP command and its arguments beside the id. ValueError: not as the usage says."""
    if action == "unplug" and not rest:
        return "device_del", {}
    if action != "plug":
        raise ValueError(action)
    driver = rest.pop(0) if rest and "=" not in rest[0] else "usb-tablet"
    properties = dict(item.split("=", 1) for item in rest)
    return "device_add", {"driver": driver, "bus": "xhci.0", **properties}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
