# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The virtual hypervisor: a Debian with libvirt, booted under QEMU, whose USB devices are plugged at will.

    with Hypervisor(tree=build / "destdir") as hypervisor:
        hypervisor.plug("t1", serial="TAB1")
        print(hypervisor.run("lsusb").stdout)
"""

import contextlib
import dataclasses
import itertools
import os
import pathlib
import shlex
import signal
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import boot_state
import disks
import image
from agent import AgentError, Exited
from machine import Machine
from systems import Confinement, System

TREE_MOUNT = "/opt/whawty"
_UNPLUG_SECONDS = 20
_STORAGE_BYTES = 16 * 2**20  # of a usb-storage, empty at first
_Value = TypeVar("_Value")


class CommandFailed(Exception):
    """A command inside ended with another status than 0; the text has its whole output."""


@dataclasses.dataclass(frozen=True)
class Completed:
    """How a command inside ended. Bytes that are not UTF-8 are surrogates, as with os.fsdecode."""
    stdout: str
    stderr: str
    returncode: int


@dataclasses.dataclass(frozen=True)
class Started:
    """A process that goes on inside, made by Hypervisor.start."""
    hypervisor: "Hypervisor"
    pid: int
    log: str

    def output(self) -> str:
        """What it has written so far, both streams."""
        return self.hypervisor.read_file(self.log).decode("utf-8", "surrogateescape")

    def wait(self, timeout: float = 30.0) -> int | None:
        """Its exit status (negative: the signal), or None if it runs on. Ask no more after the first status."""
        exited = self.hypervisor.agent.wait(self.pid, timeout)
        return None if exited is None else exited.returncode

    def kill(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.hypervisor.run(f"kill -{int(number)} {self.pid}")


class Hypervisor:
    """One booted hypervisor, from `with` to its end: this machine's release, unless `system` says another.

    What it writes to its disk is thrown away.

    Goes on from a saved state right after a boot, where that is faster; `fresh` boots for real, as `kernel_options`
    (appended to the kernel's command line) does. Either way libvirtd may still be starting: Guests.await_libvirt.
    `tree`: a directory that becomes the read-only /opt/whawty inside, all files root's (make DESTDIR=... install).
    With SELinux, the tree is copied to /usr, where its files get their labels, and /opt/whawty is the same. The module
    is loaded by enforcing.py.
    `machine.directory`: holds console.log and the sockets qmp and shell (/dev/hvc0 inside).
    """

    def __init__(self, tree: pathlib.Path | None = None, system: System | None = None, kernel_options: str = "",
                 fresh: bool = False) -> None:
        self._tree = tree
        self.system = system or System()
        self._kernel_options = f"{self.system.confinement.value} {kernel_options}"
        self._fresh = fresh or bool(kernel_options)
        self._closing = contextlib.ExitStack()
        self._starts = 0
        self._commands = itertools.count()
        self._backends: dict[str, tuple[str, dict[str, Any]]] = {}
        self.boot_seconds = 0.0

    def __enter__(self) -> "Hypervisor":
        built = image.image_directory(self.system)
        state = None if self._fresh else boot_state.saved_state(built, self.system)
        with contextlib.ExitStack() as stack:
            started = time.monotonic()
            machine = stack.enter_context(Machine(built, self.system.architecture, self._kernel_options, state))
            self.machine, self.qmp, self.agent = machine, machine.qmp, machine.agent
            self.boot_seconds = time.monotonic() - started
            if state:
                self.run(f"date --set=@{time.time():.3f}")
            if self._tree:
                self._mount(self._tree)
            self._closing = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._closing.close()

    @property
    def enforcing(self) -> bool:
        return self.system.confinement is Confinement.SELINUX

    def _mount(self, tree: pathlib.Path) -> None:
        """Plug the tree as a disk, as into any running machine, and mount it."""
        disk = self.machine.directory / "tree.img"
        disks.make_root_owned_disk(tree, disk)
        self.qmp.command("blockdev-add", **{"driver": "file", "filename": str(disk), "node-name": "tree",
                                            "read-only": True})
        self.qmp.command("device_add", driver="virtio-blk-pci", drive="tree", serial="tree", id="tree",
                         **self.system.architecture.bus)
        node = "/dev/disk/by-id/virtio-tree"
        self.run(f"udevadm wait --timeout=30 {node} && mount -o ro {node} {TREE_MOUNT}", timeout=40)
        if self.enforcing:
            self.run(f"cp -dR {TREE_MOUNT}/. /usr/ && umount {TREE_MOUNT} && mount --bind /usr {TREE_MOUNT}")
        disk.unlink()  # QEMU holds it open; this way it can't outlive a harness that is killed

    # Commands and files inside

    def run(self, command: str, timeout: float = 30.0, check: bool = True, stdin: bytes | None = None) -> Completed:
        """Run `sh -c command` inside as root. After `timeout` seconds all of it is killed: TimeoutError."""
        exited = self._execute(command, timeout, stdin)
        completed = Completed(exited.stdout.decode("utf-8", "surrogateescape"),
                              exited.stderr.decode("utf-8", "surrogateescape"), exited.returncode)
        if check and completed.returncode != 0:
            raise CommandFailed(f"{command}: ended with {completed.returncode}\n{completed.stdout}{completed.stderr}")
        return completed

    def start(self, command: str) -> Started:
        """Start `sh -c command` inside and let it run; begin it with `exec` for the pid to be the program's own."""
        self._starts += 1
        log = f"/run/started-{self._starts}.log"
        self.run(f": >{log}")  # there, whoever reads it first
        argv = ["/bin/sh", "-c", f'exec >{log} 2>&1 </dev/null; exec /bin/sh -c "$0"', command]
        return Started(self, self.agent.start(argv), log)

    def write_file(self, path: str, content: bytes | str, mode: int = 0o644) -> None:
        """Write a file inside: a new file is renamed over the old, so no reader sees half of it."""
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        quoted, new = shlex.quote(path), shlex.quote(f"{path}.new")
        handle = self._open(f"{path}.new", "w")
        try:
            self.agent.write(handle, data)
        finally:
            self.agent.close_file(handle)
        self.run(f"chmod {mode:o} {new} && mv -fT {new} {quoted}")

    def read_file(self, path: str) -> bytes:
        """The content of a file inside."""
        handle = self._open(path, "r")
        try:
            return self.agent.read(handle)
        finally:
            self.agent.close_file(handle)

    def _open(self, path: str, mode: str) -> int:
        try:
            return self.agent.open(path, mode)
        except AgentError as error:
            raise CommandFailed(f"{path}: {error}") from None

    def label_like(self, original: str) -> str:
        """A command that gives files, its arguments, the SELinux label of another one, where there are labels."""
        return f"chcon --reference={original}" if self.enforcing else "true"

    def journal(self, unit: str) -> str:
        """What a systemd unit has logged, one message a line without time stamps."""
        return self.run(f"journalctl --no-pager --output=cat --unit={shlex.quote(unit)}").stdout

    def audit(self) -> list[str]:
        """What the kernel has said since the boot, about what it has refused and all else."""
        transports = "_TRANSPORT=audit + _TRANSPORT=kernel"
        return self.run(f"journalctl --no-pager --quiet --all --output=cat {transports}").stdout.splitlines()

    def console(self, lines: int = 30) -> str:
        """The last lines of the serial console: the kernel's messages."""
        return self.machine.console(lines)

    def clock_ahead(self) -> float:
        """Seconds that the clock inside is ahead of this machine's, to compare its time stamps with time.time()."""
        trips = []
        for _ in range(10):
            sent = time.time()
            inside = self.agent.request("guest-get-time") / 1e9
            received = time.time()
            trips.append((received - sent, inside - (sent + received) / 2))
        return min(trips)[1]

    # USB

    def plug(self, id: str, driver: str = "usb-tablet", port: str | None = None, **properties: Any) -> float:
        """Plug a QEMU device into the hypervisor: usb-tablet, -mouse, -kbd (all 0627:0001), -storage, -serial, ...

        `port`: "3", or "3.6" behind a usb-hub; else the first free one. `properties` as QEMU names them, above all
        serial=. Returns time.time() of the plug. The kernel inside then needs some milliseconds to find it.
        """
        for name in list(properties):
            properties[name.replace("_", "-")] = properties.pop(name)
        properties.update(self._make_backend(id, driver))
        if port is not None:
            properties["port"] = port
        try:
            self.qmp.command("device_add", driver=driver, id=id, bus="xhci.0", **properties)
        except BaseException:
            self._drop_backend(id)
            raise
        return time.time()

    def unplug(self, id: str) -> float:
        """Pull a device made by plug; back when QEMU has let go of it. Returns time.time() of the pull."""
        mark = self.qmp.mark()
        self.qmp.command("device_del", id=id)
        pulled = time.time()
        self.qmp.wait_event("DEVICE_DELETED", mark, _UNPLUG_SECONDS, device=id)
        self._drop_backend(id)
        return pulled

    def pace(self, id: str, bytes_per_second: int) -> None:
        """How fast a usb-storage device is; 0 for as fast as it can. With 1, it seems to answer no more."""
        self.qmp.command("qom-set", path=f"/objects/{id}-backend-pace", property="limits",
                         value={"bps-total": bytes_per_second})

    def _make_backend(self, id: str, driver: str) -> dict[str, Any]:
        """Create what some devices need behind them, one each; the device properties that name it."""
        backend = f"{id}-backend"
        if driver == "usb-storage":
            disk = self.machine.directory / backend
            disk.write_bytes(b"")
            os.truncate(disk, _STORAGE_BYTES)
            self.qmp.command("object-add", **{"qom-type": "throttle-group", "id": f"{backend}-pace"})
            self.qmp.command("blockdev-add", **{"driver": "throttle", "throttle-group": f"{backend}-pace",
                                                "node-name": backend, "file": {"driver": "file", "filename": str(disk)}})
            disk.unlink()  # QEMU holds it open
            self._backends[id] = (("blockdev-del", {"node-name": backend}), ("object-del", {"id": f"{backend}-pace"}))
            return {"drive": backend}
        if driver == "usb-serial":
            self.qmp.command("chardev-add", id=backend, backend={"type": "null", "data": {}})
            self._backends[id] = (("chardev-remove", {"id": backend}),)
            return {"chardev": backend, "always-plugged": True}
        if driver == "usb-net":
            self.qmp.command("netdev_add", type="hubport", id=backend, hubid=0)
            self._backends[id] = (("netdev_del", {"id": backend}),)
            return {"netdev": backend}
        return {"audiodev": "silence"} if driver == "usb-audio" else {}

    def _drop_backend(self, id: str) -> None:
        for command, arguments in self._backends.pop(id, ()):
            self.qmp.command(command, **arguments)

    def _execute(self, command: str, timeout: float, stdin: bytes | None) -> Exited:
        """A variable marks a command and all its children, so that all of them go when it is out of time."""
        mark = f"COMMAND_OF_THE_HARNESS={next(self._commands)}"
        pid = self.agent.start(["/bin/sh", "-c", command], stdin, (mark,))
        exited = self.agent.wait(pid, timeout)
        if exited is None:
            marked = f"grep -slzxF {mark} /proc/[0-9]*/environ | cut -d / -f 3"
            self.agent.start(["/bin/sh", "-c", f"kill -KILL $({marked})"])
            raise TimeoutError(f"{command}: still running after {timeout} s")
        return exited


def wait_until(predicate: Callable[[], _Value], timeout: float, what: str, pause: float = 0.05) -> _Value:
    """Ask until the answer is true, and return it. After `timeout` seconds: TimeoutError with `what` and the answer."""
    deadline = time.monotonic() + timeout
    while not (answer := predicate()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s: {what} (last: {answer!r})")
        time.sleep(pause)
    return answer
