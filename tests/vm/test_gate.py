# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The gate, with somebody else in the actuator's place: what it lets through works, and nothing else reaches libvirtd.

Frames are made here byte by byte, as in libvirt's remote_protocol.x and tests/gate/rpc.h.
"""

import dataclasses
import pathlib
import struct
import uuid
from collections.abc import Sequence

from case import Case
from guests import UsbDevice, domain_xml, hostdev_xml
from hypervisor import TREE_MOUNT

_PROGRAM = f"{TREE_MOUNT}/libexec/whawty-libvirt-usb-hotplugd/gate"
_SCRIPT = pathlib.Path(__file__).with_name("gate_client.pl")
_PATH = "/run/gate-client.pl"
_REMOTE, _QEMU = 0x20008086, 0x20008087
_DISK = ("<disk type='file'><driver name='qemu' type='raw'/><source file='/etc/passwd'/><target dev='sdz' bus='usb'/>"
         "<readonly/></disk>")
_LIVE, _CONFIG = 1, 2


def _words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def _text(value: str) -> bytes:
    data = value.encode()
    return _words(len(data)) + data + bytes(-len(data) % 4)


@dataclasses.dataclass(frozen=True)
class Call:
    procedure: int
    arguments: bytes = b""
    program: int = _REMOTE

    def frame(self, serial: int) -> bytes:
        return _words(28 + len(self.arguments), self.program, 1, self.procedure, 0, serial, 0) + self.arguments


_OPENING = (Call(66), Call(70), Call(1, _words(1) + _text("qemu:///system") + _words(0)))


def _xml(device: UsbDevice, new: bool) -> str:
    alias = "<alias name='ua-whawty-usb-00000000000000ab-17'/>" if new else ""
    return ("<hostdev mode='subsystem' type='usb' managed='yes'><source>"
            f"<vendor id='0x{device.vendor:04x}'/><product id='0x{device.product:04x}'/>"
            f"<address bus='{device.bus}' device='{device.device}'/></source>{alias}</hostdev>")


def status(answer: bytes | None) -> int | None:
    """Of a reply: 0 if the call was made."""
    return struct.unpack_from(">I", answer, 24)[0] if answer else None


class Gate(Case):
    def setUp(self) -> None:
        super().setUp()
        self.running("a", "b")
        self.hypervisor.write_file(_PATH, _SCRIPT.read_bytes())
        self.addCleanup(self.hypervisor.run, f"rm -rf {_PATH} /run/gate-test")

    def uuid_of(self, guest: str) -> bytes:
        return uuid.UUID(self.guests.virsh("domuuid", guest).stdout.strip()).bytes

    def domain(self, guest: str) -> bytes:
        return _text(guest) + self.uuid_of(guest) + _words(1)

    def ask(self, *lives: Sequence[Call], listed: str = "") -> list[tuple[list[bytes | None], str]]:
        """For each life of a gate, what comes back to its calls, after those that open the connection, and its log.

        None is the end.
        """
        known = [Call(24, self.uuid_of(guest)) for guest in ("a", "b")]
        before = len(_OPENING) + len(known)
        groups = " -- ".join(" ".join(call.frame(serial).hex() for serial, call in enumerate((*_OPENING, *known, *calls)))
                             for calls in lives)
        said = self.hypervisor.run(f"perl {_PATH} {_PROGRAM} '{listed}' {groups}", timeout=240).stdout
        found = []
        for life in said.split("--\n")[:-1]:
            lines = life.splitlines()
            log = "\n".join(line for line in lines if line.startswith("gate: "))
            answers = [None if line == "end" else bytes.fromhex(line) for line in lines if not line.startswith("gate: ")]
            self.assertEqual([status(answer) for answer in answers[:before]], [0] * before, f"it is let in; {log}")
            found.append((answers[before:], log))
        self.assertEqual(len(found), len(lives), said)
        return found

    def state(self) -> tuple[str, ...]:
        """What a harmful call would change."""
        return (self.guests.virsh("list", "--all").stdout, self.guests.virsh("dumpxml", "a", "--inactive").stdout,
                *(self.guests.virsh("dumpxml", guest).stdout for guest in ("a", "b")),
                self.hypervisor.run("ls /run/gate-test/save /var/lib/libvirt/qemu/save 2>&1; virsh secret-list").stdout)

    def test_what_the_daemon_asks_for_works(self) -> None:
        device = self.plug("ONE")
        own = self.domain("a")
        [(answers, log)] = self.ask([Call(60, _words(15)), Call(60, _words(14)), Call(60, _words(10)), Call(360),
                                *(Call(316, _words(event, 0)) for event in (0, 15, 19)),
                                Call(273, _words(1, 0)), Call(14, own + _words(0)),
                                Call(160, own + _text(_xml(device, new=True)) + _words(_LIVE)),
                                Call(14, own + _words(0)),
                                Call(161, own + _text(_xml(device, new=False)) + _words(_LIVE))], listed="a")
        self.assertEqual([status(answer) for answer in answers], [0] * 12, log)
        self.assertIn(b"ua-whawty-usb-00000000000000ab-17", answers[10] or b"")
        self.assertEqual(log, "")

    def test_whatever_else_it_asks_for_ends_it_and_changes_nothing(self) -> None:
        device = self.plug("ONE")
        own, other = self.domain("a"), self.domain("b")
        new, there = _text(_xml(device, new=True)), _text(_xml(device, new=False))
        harmful = {
            "destroy": Call(12, own), "destroy with flags": Call(234, own + _words(0)), "reset": Call(245, own + _words(0)),
            "undefine": Call(231, own + _words(0)), "create": Call(10, _text(domain_xml("new")) + _words(0)),
            "define": Call(11, _text(domain_xml("new"))), "define with flags": Call(350, _text(domain_xml("new")) + _words(0)),
            "save": Call(232, own + _text("/run/gate-test/save") + _words(0, 0)),
            "disk": Call(160, own + _text(_DISK) + _words(_LIVE)),
            "disk behind a hostdev": Call(160, own + _text(_xml(device, new=True) + _DISK) + _words(_LIVE)),
            "hostdev of another form": Call(160, own + _text(hostdev_xml(device)) + _words(_LIVE)),
            "persistent device": Call(160, own + new + _words(_CONFIG)),
            "both": Call(160, own + new + _words(_LIVE | _CONFIG)), "persistent detach": Call(161, own + there + _words(_CONFIG)),
            "monitor": Call(1, own + _text("info name") + _words(1), _QEMU),
            "console": Call(201, own + _words(0, 0)), "channel": Call(296, own + _words(0, 0)),
            "graphics": Call(249, own + _words(0, 0)), "keys": Call(226, own + _words(0, 0, 1, 30, 0)),
            "passwords": Call(14, own + _words(1)), "secrets": Call(287, _words(1, 0)), "storage": Call(281, _words(1, 0)),
            "networks": Call(283, _words(1, 0)),
            "another domain": Call(160, other + new + _words(_LIVE)),
            "another domain by a name of the list": Call(161, _text("a") + self.uuid_of("b") + _words(1) + there + _words(_LIVE)),
        }
        before = self.state()
        lives = self.ask(*([call] for call in harmful.values()), listed="a")
        for (name, call), (answers, log) in zip(harmful.items(), lives, strict=True):
            with self.subTest(name):
                self.assertEqual(answers, [None])
                self.assertIn(f"gate: ALARM: the actuator tried procedure {call.procedure} of program 0x{call.program:08x}", log)
        self.assertEqual(self.state(), before)

    def test_without_the_gate_nobody_lets_that_user_in(self) -> None:
        for read_only in ("", "--readonly"):
            done = self.hypervisor.run("HOME=/tmp setpriv --reuid=whawty-usb-actuator --regid=whawty-usb-actuator --init-groups "
                                       f"virsh {read_only} --connect qemu:///system destroy a", timeout=60, check=False)
            self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.hypervisor.run("id --name --groups whawty-usb-actuator").stdout.split(), ["whawty-usb-actuator"])
        self.assertIn("running" if "paused" not in (state := self.guests.virsh("domstate", "a").stdout) else "paused", state)
