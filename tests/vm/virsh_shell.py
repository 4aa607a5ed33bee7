# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""One virsh that stays open inside: under emulation, starting one takes most of a second."""

import threading

from hypervisor import Hypervisor, wait_until

_INPUT, _OUTPUT, _MARK = "/run/virsh.in", "/run/virsh.out", "that-was-all"
_SECONDS = 60  # a libvirt call on a stuck guest takes 30 by itself


class VirshShell:
    """Live XML, fast. It connects anew by itself when libvirtd has been restarted."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor
        self._files: tuple[int, int] | None = None  # of virsh: its input, its output
        self._asked = 0
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

    def _start(self) -> tuple[int, int]:
        self._hypervisor.run(f"rm -f {_INPUT}; mkfifo {_INPUT}; : >{_OUTPUT}")
        # virsh does not ignore SIGPIPE: it would die of a write to a libvirtd that goes away.
        self._hypervisor.start(f"trap '' PIPE; exec virsh 3<>{_INPUT} <&3 >>{_OUTPUT} 2>&1")
        return self._hypervisor.agent.open(_INPUT, "r+"), self._hypervisor.agent.open(_OUTPUT, "r")

    def _ask(self, command: str) -> str:
        """What virsh writes until it comes to a mark behind the command, which it repeats before."""
        agent = self._hypervisor.agent
        self._files = self._files or self._start()
        self._asked += 1
        mark = f"{_MARK} {self._asked}\n".encode()
        agent.write(self._files[0], f"{command}\necho ".encode() + mark)
        answer = b""

        def complete() -> bool:
            nonlocal answer
            answer += agent.read(self._files[1])
            return mark in answer

        try:
            wait_until(complete, _SECONDS, "an answer", pause=0.01)
        except TimeoutError:
            self._files = None  # the next one starts another
            raise TimeoutError(f"virsh does not answer {command}; it wrote {answer[-500:]!r}") from None
        return answer.partition(mark)[0].decode("utf-8", "surrogateescape")
