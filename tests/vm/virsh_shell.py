# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""One virsh that stays open inside: under emulation, starting one takes most of a second."""

import threading

from hypervisor import Hypervisor, Started

_INPUT, _MARK = "/run/virsh.in", "that-was-all"


class VirshShell:
    """Live XML, fast. It connects anew by itself when libvirtd has been restarted."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor
        self._virsh: Started | None = None
        self._turn = threading.Lock()

    def live_xml(self, guest: str) -> str:
        """The XML of a running guest, now."""
        with self._turn:
            output = self._ask(f"dumpxml {guest}")
        start, end = output.find("<domain "), output.rfind("</domain>")
        if start < 0 or end < 0:
            raise RuntimeError(f"virsh dumpxml {guest}: {output}")
        return output[start:end + len("</domain>")]

    def detach_all(self, guest: str, aliases: list[str]) -> None:
        """Take these devices from a running guest. libvirt reports success when QEMU has let go of them."""
        with self._turn:
            self._ask("; ".join(f"detach-device-alias {guest} {alias} --live" for alias in aliases))

    def _ask(self, command: str) -> str:
        if self._virsh is None:
            self._hypervisor.run(f"mkfifo {_INPUT}")
            self._virsh = self._hypervisor.start(f"exec virsh 3<>{_INPUT} <&3 >>/run/virsh.out 2>&1")
        return self._hypervisor.run(f"""
            : >/run/virsh.out
            printf '%s\\necho --shell {_MARK}\\n' '{command}' >{_INPUT}
            until grep -q "^'*{_MARK}" /run/virsh.out; do sleep 0.02; done
            cat /run/virsh.out""").stdout
