# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The virtual machine itself: the QEMU process, its monitor and its agent."""

import contextlib
import pathlib
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

import accelerator
from agent import Agent
from architectures import AMD64, Architecture
from processes import die_with_parent
from progress import say
from qmp import Qmp

USB_PORTS = 15  # of each speed; one device takes one
KERNEL_OPTIONS = ("root=/dev/vda rw loglevel=5 systemd.show_status=error net.ifnames=0 "
                  "mitigations=off random.trust_cpu=on")
_MEMORY_MEGABYTES = 3072
_BOOT_SECONDS = 240  # under emulation on a busy machine; usually a tenth of it
_RESUME_SECONDS = 60  # of a saved state; usually two
_LOOK_SECONDS = 5  # between looks at the console
_BOOTS = 3  # at most
_PANIC = "Kernel panic - not syncing"
_CONSOLE_LINES = 60
_SOCKET_SECONDS = 30  # until QEMU has made its sockets; usually a hundredth of it
_Socket = TypeVar("_Socket")


class BootFailed(Exception):
    """The hypervisor did not come up; the text ends with the last lines of its console."""


class KernelPanicked(BootFailed):
    """Its kernel said so."""


class Machine:
    """A running QEMU, from `with` to its end, with an agent that answers.

    `built`: the image's directory. `state`: a directory made by save, to go on from instead of booting.
    `disk`: written to for good; without it, changes go to a throw-away overlay.
    """

    def __init__(self, built: pathlib.Path, architecture: Architecture, kernel_options: str = "", state: pathlib.Path | None = None,
                 disk: pathlib.Path | None = None) -> None:
        self._built = built
        self._architecture = architecture
        self._kernel_options = kernel_options
        self._state = state
        self._disk = disk
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> "Machine":
        """Under emulation, a kernel that changes its code at boot while its other processor runs it may panic: then again."""
        for _ in range(_BOOTS - 1):
            try:
                return self._start()
            except KernelPanicked as error:
                if accelerator.best(self._architecture) == accelerator.KVM:
                    raise
                say(f"the kernel panicked at boot, which starts anew: {error}")
        return self._start()

    def _start(self) -> "Machine":
        with contextlib.ExitStack() as stack:
            self.directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hypervisor-")))
            self._process = self._power_on()
            stack.callback(self._power_off)
            self.qmp = self._reach("monitor", lambda: Qmp(self.directory / "qmp"))
            stack.callback(self.qmp.close)
            self.agent = self._reach("agent socket", lambda: Agent(self.directory / "agent"))
            stack.callback(self.agent.close)
            if self._state:
                self._resume()
            self._await_agent()
            self._closing = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._closing.close()

    @property
    def second_monitor(self) -> pathlib.Path:
        """A QMP socket that the harness leaves to others."""
        return self.directory / "plug"

    def console(self, lines: int) -> str:
        """The last lines of the serial console."""
        log = self.directory / "console.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def save(self, memory: pathlib.Path) -> None:
        """Stop for good and write memory and devices to a new file."""
        self.qmp.command("stop")
        self.qmp.command("migrate-set-parameters", **{"max-bandwidth": 2**40})
        self.qmp.command("migrate", uri=f"exec:cat >{shlex.quote(str(memory))}")
        self._await_status(lambda: self.qmp.command("query-migrate")["status"], "completed")

    def _resume(self) -> None:
        self._await_status(lambda: self.qmp.command("query-status")["status"], "paused")
        self.qmp.command("cont")

    def _await_status(self, ask: Callable[[], str], wanted: str) -> None:
        deadline = time.monotonic() + _RESUME_SECONDS
        while (status := ask()) != wanted:
            if status == "failed" or time.monotonic() > deadline:
                raise self._failed(f"the machine's state is {status} instead of {wanted}")
            time.sleep(0.02)

    def _power_on(self) -> "subprocess.Popen[bytes]":
        """Start QEMU; it is killed when this process ends, however it ends."""
        with (self.directory / "qemu.log").open("wb") as log:
            return subprocess.Popen([*hardware(self._architecture), *self._files()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    cwd=self.directory, preexec_fn=die_with_parent(signal.SIGKILL))

    def _power_off(self) -> None:
        """Kill, not shut down: nothing in there is worth keeping."""
        self._process.kill()
        self._process.wait()

    def _files(self) -> list[str]:
        """The part of QEMU's command line that names files."""
        if self._disk or self._state:
            disk, disk_format = self._disk or self._state / "disk.qcow2", "qcow2"
        else:
            disk, disk_format = self._built / "disk.img", "raw"
        files = ["-kernel", str(self._built / "vmlinuz"), "-initrd", str(self._built / "initrd"),
                 "-append", f"{KERNEL_OPTIONS} console={self._architecture.console} {self._kernel_options}",
                 "-drive", f"file={disk},if=virtio,format={disk_format},cache=unsafe,"
                           f"snapshot={'off' if self._disk else 'on'}"]
        if self._state:
            files += ["-incoming", f"exec:cat {shlex.quote(str(self._state / 'memory'))}"]
        return files

    def _reach(self, what: str, connect: Callable[[], _Socket]) -> _Socket:
        """Connect to one of QEMU's sockets, which are there some milliseconds after its start."""
        deadline = time.monotonic() + _SOCKET_SECONDS
        while True:
            try:
                return connect()
            except (FileNotFoundError, ConnectionRefusedError):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise self._failed(f"QEMU offers no {what}") from None
                time.sleep(0.01)

    def _await_agent(self) -> None:
        seconds = _RESUME_SECONDS if self._state else _BOOT_SECONDS
        deadline = time.monotonic() + seconds
        try:
            while not self.agent.synchronize(_LOOK_SECONDS):
                if _PANIC in self.console(_CONSOLE_LINES):
                    raise self._failed("its kernel panicked", KernelPanicked)
                if time.monotonic() > deadline:
                    raise self._failed(f"the agent did not answer within {seconds} s")
        except ConnectionError:
            raise self._failed("QEMU ended") from None

    def _failed(self, why: str, kind: type[BootFailed] = BootFailed) -> BootFailed:
        said = (self.directory / "qemu.log").read_text(errors="replace")
        return kind(f"{why}\nQEMU: {said}\nconsole:\n{self.console(_CONSOLE_LINES)}")


def hardware(architecture: Architecture) -> list[str]:
    """The part of QEMU's command line that is the same for every machine; sockets are in its working directory."""
    return [
        architecture.qemu, "-nodefaults", "-no-user-config", "-display", "none",
        *(["-machine", "pc"] if architecture is AMD64 else ["-machine", "virt", "-device", "pcie-root-port,id=socket"]),
        "-accel", accelerator.best(architecture), "-cpu", accelerator.processor(architecture),
        "-smp", "2", "-m", str(_MEMORY_MEGABYTES),
        "-qmp", "unix:qmp,server=on,wait=off",
        "-qmp", "unix:plug,server=on,wait=off",  # one socket takes one client: this one is for plug.py
        "-chardev", "file,id=console,path=console.log", "-serial", "chardev:console",
        "-device", "virtio-serial",
        "-chardev", "socket,id=agent,path=agent,server=on,wait=off",
        "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
        "-chardev", "socket,id=shell,path=shell,server=on,wait=off", "-device", "virtconsole,chardev=shell",
        "-device", "virtio-rng",
        "-device", f"qemu-xhci,id=xhci,p2={USB_PORTS},p3={USB_PORTS}",
        "-audiodev", "none,id=silence",
    ]
