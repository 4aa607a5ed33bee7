# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the end-to-end tests have in common: one hypervisor, guests kept running, and a clean slate for each test."""

import contextlib
import pathlib
import re
import time
import unittest
from collections.abc import Iterable, Iterator

import enforcing
from daemon import UNIT, Daemon, Line
from guests import Guests, Hostdev, UsbDevice, find_usb, host_usb, hostdev_xml, usb_hostdevs
from hypervisor import Hypervisor, wait_until
from systems import System
from virsh_shell import VirshShell

PATIENCE = 20.0  # seconds for what takes less than one, on an idle machine
_PAUSE = 0.2  # between questions: each costs the hypervisor a tenth of a second of its processors
_MODEL = {"controllers": 1, "ports": 15}

Numbers = tuple[int | None, int | None, int | None, int | None]


def numbers(of: UsbDevice | Hostdev) -> Numbers:
    return of.bus, of.device, of.vendor, of.product


@contextlib.contextmanager
def staged(tree: pathlib.Path, system: System, guests: Iterable[str] = ()) -> "Iterator[Stage]":
    """A hypervisor that is ready, with these guests running."""
    with Hypervisor(tree, system) as hypervisor:
        stage = Stage(hypervisor)
        stage.ready()
        for guest in guests:
            stage.run_guest(guest)
        yield stage


class Stage:
    """The hypervisor that all tests share, and what is running and plugged on it."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self.hypervisor = hypervisor
        self.guests = Guests(hypervisor)
        self.virsh = VirshShell(hypervisor)
        self.daemon = Daemon(hypervisor)
        self.plugged: list[str] = []
        self.running: dict[str, dict[str, int]] = {}

    def ready(self) -> None:
        """Drivers of the emulated devices are there: under emulation, udev loads one for longer than an attach takes.

        It would then take the device from a guest that is paused, and has not set it up, and the daemon would give it anew.
        """
        self.hypervisor.run("modprobe -a usbhid usb-storage uas ftdi_sio cdc_ether rndis_host")
        self.guests.await_libvirt()
        self.daemon.install()

    def run_guest(self, name: str, **model: int) -> None:
        """Have a guest running; one of the same model goes on from test to test."""
        if self.running.get(name) == {**_MODEL, **model}:
            return
        self.drop_guest(name)
        self.guests.define(name, **model)
        self.start_guest(name, **model)

    def start_guest(self, name: str, **model: int) -> None:
        self.guests.start(name)
        self.running[name] = {**_MODEL, **model}

    def stop_guest(self, name: str) -> None:
        self.guests.destroy(name)
        self.running.pop(name, None)

    def drop_guest(self, name: str) -> None:
        """Off and undefined, whatever it was."""
        if self.running.pop(name, None) is not None:
            self.guests.virsh("destroy", name, check=False)
            self.guests.virsh("undefine", name, check=False)

    def forget_guest(self, name: str) -> None:
        """As drop_guest, of one that is in a state that only its test knows."""
        self.running.pop(name, None)
        self.guests.virsh("destroy", name, check=False)
        self.guests.virsh("undefine", name, "--managed-save", check=False)

    def plug(self, serial: str, driver: str = "usb-tablet", **properties: str) -> None:
        id = f"d{len(self.plugged)}-{time.monotonic_ns()}"
        self.hypervisor.plug(id, driver, serial=serial, **properties)
        self.plugged.append(id)

    def unplug(self, id: str) -> None:
        self.hypervisor.unplug(id)
        self.plugged.remove(id)

    def hostdevs(self, guest: str) -> list[Hostdev]:
        """The USB devices in the guest's live XML."""
        return usb_hostdevs(self.virsh.live_xml(guest))

    def clear(self) -> None:
        """Daemon off, no device plugged, no guest with a hostdev."""
        holders = self.hypervisor.run(
            f"systemctl stop {UNIT}; systemctl reset-failed {UNIT} 2>/dev/null; "
            "cd /run/libvirt/qemu && grep -l \"<hostdev mode='subsystem' type='usb'\" *.xml", check=False).stdout
        for id in reversed(self.plugged):  # what is behind a hub first
            self.hypervisor.unplug(id)
        self.plugged.clear()
        for holder in holders.split():
            self.take_all(holder.removesuffix(".xml"))

    def take_all(self, guest: str) -> None:
        """Detach all USB hostdevs of a running guest."""
        self.virsh.detach_all(guest, [hostdev.alias for hostdev in self.hostdevs(guest) if hostdev.alias])
        wait_until(lambda: not self.hostdevs(guest), PATIENCE, f"{guest} has no hostdev")


class Case(unittest.TestCase):
    """One behaviour. After it, the daemon must have logged no error but those that it allowed."""
    stage: Stage
    hypervisor: Hypervisor
    guests: Guests
    daemon: Daemon

    @staticmethod
    def stand_on(stage: Stage) -> None:
        """All tests are on that one from now on."""
        Case.stage, Case.hypervisor, Case.guests, Case.daemon = stage, stage.hypervisor, stage.guests, stage.daemon

    def setUp(self) -> None:
        self._ids: dict[str, str] = {}
        self._allowed: list[str] = []
        self.start_of_log = self.daemon.seen
        self.addCleanup(self._assert_no_error)
        if self.hypervisor.enforcing:
            self._denials = len(enforcing.denials(self.hypervisor))
            self.addCleanup(self._assert_no_denial)
        self.addCleanup(self.stage.clear)

    def _assert_no_error(self) -> None:
        allowed = "|".join(self._allowed)
        unexpected = [line for line in self.daemon.errors(self.start_of_log)
                      if not (allowed and re.search(allowed, line.text))]
        self.assertEqual(unexpected, [], "error lines that this test does not expect")

    def _assert_no_denial(self) -> None:
        self.assertEqual(enforcing.denials(self.hypervisor)[self._denials:], [], "what SELinux has refused")

    def allow_error(self, pattern: str) -> None:
        self._allowed.append(pattern)

    # Guests and devices

    def running(self, *names: str, **model: int) -> None:
        """Have these guests running, without hostdevs."""
        for name in names:
            self.stage.run_guest(name, **model)

    def plug(self, serial: str, driver: str = "usb-tablet", **properties: str) -> UsbDevice:
        """Plug a device until the test ends or unplug; what the kernel inside made of it."""
        self.stage.plug(serial, driver, **properties)
        self._ids[serial] = self.stage.plugged[-1]
        return find_usb(self.hypervisor, serial)

    def plug_tablets(self, *serials: str) -> list[UsbDevice]:
        """Plug several at a time, which takes no longer than one."""
        for serial in serials:
            self.stage.plug(serial)
            self._ids[serial] = self.stage.plugged[-1]
        return [find_usb(self.hypervisor, serial) for serial in serials]

    def unplug(self, serial: str) -> None:
        self.stage.unplug(self._ids.pop(serial))

    def pull(self, serial: str, device: UsbDevice) -> None:
        """Unplug a device that may be at work.

        Emulated xHCI forgets what is on its way to a device that is pulled, and the kernel waits seconds for it, holding
        locks that readers of sysfs want, too. So the kernel lets go of it first.
        """
        self.hypervisor.run(f"echo 1 >/sys/bus/usb/devices/{device.name}/remove")
        self.unplug(serial)

    # Statements about the world

    def holdings(self, guest: str) -> list[Numbers]:
        return sorted(map(numbers, self.stage.hostdevs(guest)), key=repr)

    def await_hostdevs(self, guest: str, *devices: UsbDevice) -> None:
        """The guest's live XML comes to have exactly these devices, each once and with all four numbers."""
        wanted = sorted(map(numbers, devices), key=repr)
        wait_until(lambda: self.holdings(guest) == wanted or None, PATIENCE, f"{guest} has exactly {wanted}", _PAUSE)

    def assert_hostdevs(self, guest: str, *devices: UsbDevice) -> None:
        self.assertEqual(self.holdings(guest), sorted(map(numbers, devices), key=repr), f"hostdevs of {guest}")

    def assert_stays(self, seconds: float, guest: str, *devices: UsbDevice) -> None:
        """After that time the guest still, or again, has exactly these."""
        time.sleep(seconds)
        self.assert_hostdevs(guest, *devices)

    def attach_by_hand(self, guest: str, device: UsbDevice, **form: bool) -> None:
        self.guests.attach(guest, hostdev_xml(device, **form))

    def said(self, pattern: str) -> list[Line]:
        """The daemon's messages of this test that match."""
        return self.daemon.find(pattern, self.start_of_log)

    def await_said(self, pattern: str) -> Line:
        return self.daemon.await_line(pattern, self.start_of_log)


def seccomp_kills(hypervisor: Hypervisor) -> list[str]:
    """What the kernel says about processes that seccomp ended, since the boot."""
    return hypervisor.run("dmesg | grep -E 'type=1326|SIGSYS|seccomp'", check=False).stdout.splitlines()


def describe(stage: Stage, since: int) -> str:
    """What to look at after a failure: the log, the live XML and the devices."""
    parts = ["log:", *_indented(stage.daemon.log(since))]
    for name in stage.guests.virsh("list", "--name").stdout.split():
        parts += [f"hostdevs of {name}:", *_indented(stage.guests.hostdevs(name))]
    parts += ["USB devices:", *_indented(host_usb(stage.hypervisor))]
    parts += ["kernel:", *_indented(seccomp_kills(stage.hypervisor))]
    return "\n".join(parts)


def _indented(items: Iterable[object]) -> list[str]:
    return [f"  {item}" for item in items]
