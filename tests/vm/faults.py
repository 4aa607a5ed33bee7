# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What can go wrong on a hypervisor, one function for each kind. Each is over when it returns."""

import contextlib
import random
import threading
import time
from collections.abc import Callable

from case import Stage
from daemon import CONFIG, UNIT
from hypervisor import wait_until
from machine import USB_PORTS
from rules import WORKERS, Rules
from watcher import Watcher

GUESTS = ("a", "b", "c")
START = Rules({"a": ("A1", "A2", "S1", "S2"), "b": ("B1", "B2", "S1", "S2"), "c": ("C1", "S2", "S1")})
SERIALS = ("A1", "A2", "B1", "B2", "C1", "S1", "S2")
_START_SECONDS = 60.0
_OVERRUN_EVENTS = 300  # each takes 2 KiB of a socket's buffer, which holds 416 KiB
_EARLY_MILLISECONDS = 50
_CONTROLLERS = "cd /sys/bus/pci/drivers/xhci_hcd && for one in 0000:*; do"


class World:
    """The hypervisor with what is plugged, which guests are off, and the rules. Any thread may use it for one fault."""

    def __init__(self, stage: Stage, watcher: Watcher, chance: random.Random) -> None:
        self.stage = stage
        self.watcher = watcher
        self.chance = chance
        self.rules = START
        self.plugged: dict[str, str] = {}  # port by serial
        self.off: set[str] = set()
        self.reauthorized: set[str] = set()  # serials, in this step: nobody keeps these
        self._ports = [str(number) for number in range(1, USB_PORTS + 1)]  # the longest unused first
        self._lock = threading.Lock()
        self._shell = threading.local()
        self._shells = 0

    # Steps

    def do(self, command: str, check: bool = True) -> str:
        done = self.watcher.do(command)
        if check and done.status != 0:
            raise RuntimeError(f"{command}: {done.output}")
        return done.output

    def sh(self, command: str) -> str:
        return self.do(f"sh {command}")

    def virsh(self, command: str, check: bool = True) -> str:
        """Each thread has a shell of its own: a call may take long."""
        with self._lock:
            if not hasattr(self._shell, "number"):
                self._shell.number = self._shells % 2
                self._shells += 1
        return self.do(f"virsh {self._shell.number} {command}", check)

    def plug(self, serial: str) -> None:
        """On the port that was free the longest: one that connects again and again would be put aside."""
        with self._lock:
            port = next(port for port in self._ports if port not in self.plugged.values())
            self._ports.remove(port)
            self._ports.append(port)
            self.plugged[serial] = port
            self.stage.hypervisor.plug(serial, serial=serial, port=port)
            self.stage.plugged.append(serial)

    def unplug(self, serial: str) -> None:
        with self._lock:
            self.stage.unplug(serial)
            del self.plugged[serial]

    def start(self, guest: str) -> None:
        wait_until(lambda: self._starts(guest), _START_SECONDS, f"{guest} starts", pause=0.2)
        self.off.discard(guest)

    def _starts(self, guest: str) -> bool:
        said = self.virsh(f"start {guest} --paused", check=False)
        # It was saved with a device that another guest has now, or that has left or has another number.
        if "in use" in said or "Did not find USB device" in said:
            self.virsh(f"managedsave-remove {guest}")
        return guest in self.watcher.state().guests

    def stopped(self, guest: str) -> None:
        self.off.add(guest)

    def configure(self, rules: Rules) -> None:
        self.rules = rules
        self.stage.hypervisor.write_file(CONFIG, rules.config())

    # Choices

    def any_plugged(self) -> str | None:
        return self.chance.choice(sorted(self.plugged)) if self.plugged else None

    def any_unplugged(self) -> str | None:
        rest = sorted(set(SERIALS) - set(self.plugged))
        return self.chance.choice(rest) if rest else None

    def any_running(self) -> str:
        return self.chance.choice(sorted(set(GUESTS) - self.off))


# Devices

def plug(world: World) -> None:
    serial = world.any_unplugged()
    world.plug(serial) if serial else unplug(world)


def unplug(world: World) -> None:
    serial = world.any_plugged()
    world.unplug(serial) if serial else plug(world)


def storm(world: World) -> None:
    """Several devices come and go within milliseconds; one of them connects again."""
    again = world.any_plugged()
    for serial in world.chance.sample(SERIALS, 4):
        world.unplug(serial) if serial in world.plugged else world.plug(serial)
    if again in world.plugged:
        world.unplug(again)
        world.plug(again)


def replug_controller(world: World) -> None:
    """As when the host wakes up and its controller has lost power: all devices connect again, numbered from 2."""
    world.sh(f"{_CONTROLLERS} echo $one >unbind; echo $one >bind; done")


def reauthorize(world: World) -> None:
    """As device managers do that block a device until they have made up their mind."""
    serial = world.any_plugged()
    if serial is None:
        return
    world.reauthorized.add(serial)
    sysname = f"/sys/bus/usb/devices/1-{world.plugged[serial]}"
    world.sh(f"echo 0 >{sysname}/authorized; echo 1 >{sysname}/authorized")


# Guests

def start_or_stop(world: World) -> None:
    if world.off and world.chance.random() < 0.7 or len(world.off) == len(GUESTS) - 1:
        return world.start(world.chance.choice(sorted(world.off)))
    guest = world.any_running()
    world.virsh(f"destroy {guest}")
    world.stopped(guest)


def restart_guest(world: World) -> None:
    guest = world.any_running()
    world.virsh(f"destroy {guest}")
    world.start(guest)


def reset(world: World) -> None:
    world.virsh(f"reset {world.any_running()}")


def suspend_and_resume(world: World) -> None:
    guest = world.any_running()
    world.virsh(f"resume {guest}")
    world.virsh(f"suspend {guest}")


def crash(world: World) -> None:
    guest = world.any_running()
    world.sh(f"kill -KILL $(cat /run/libvirt/qemu/{guest}.pid)")
    world.watcher.wait(lambda: guest not in world.watcher.state().guests, f"libvirt sees that {guest} died")
    world.start(guest)
    world.sh("systemctl reload whawty-libvirt-usb-hotplugd")  # it was no device that the guest died of


def save_and_restore(world: World) -> None:
    guest = world.any_running()
    world.virsh(f"managedsave {guest}")
    world.start(guest)


# Services

def restart_libvirtd(world: World) -> None:
    world.sh("systemctl restart libvirtd")
    world.virsh("list", check=False)
    world.virsh("list")


def kill_libvirtd(world: World) -> None:
    world.sh("systemctl kill -s KILL --kill-whom=main libvirtd")
    wait_until(lambda: "error" not in world.virsh("list", check=False), 30, "libvirtd answers")


def mend_libvirt(world: World, serials: list[str]) -> None:
    """As an administrator has to, where libvirtd died in the middle of an attach and keeps half of it in its books."""
    for serial in serials:
        world.unplug(serial)
        world.plug(serial)


def restart_udevd(world: World) -> None:
    world.sh("systemctl restart systemd-udevd && udevadm settle")


def overrun(world: World) -> None:
    """More events than the scanner's socket holds, while it does not read."""
    world.do("kill STOP scanner")
    world.sh("udevadm control --stop-exec-queue; cd /sys/bus/usb/devices; "
             f"for i in $(seq {_OVERRUN_EVENTS // 4}); do "
             "for one in usb1 usb2 usb1 usb2; do echo change >$one/uevent; done; done; "
             "udevadm trigger -s usb; udevadm control --start-exec-queue; udevadm settle")
    world.do("kill CONT scanner")


# The daemon

def kill_worker(world: World) -> None:
    # Not there: a fault at the same time has just ended it.
    world.do(f"kill KILL {world.chance.choice(WORKERS)}", check=False)


def kill_supervisor(world: World) -> None:
    world.do("kill KILL supervisor", check=False)


def restart_service(world: World) -> None:
    world.sh(f"systemctl restart {UNIT}")


def _move(world: World) -> None:
    world.configure(world.rules.moved(world.chance.choice(SERIALS), world.chance.choice(GUESTS)))


def reload_moves_a_device(world: World) -> None:
    _move(world)
    world.sh(f"systemctl kill -s HUP --kill-whom=main {UNIT}")


def early_reload(world: World) -> None:
    """The signal comes while the daemon starts: at its first instruction or up to 50 ms later."""
    _move(world)
    world.do(f"early {world.chance.randrange(_EARLY_MILLISECONDS)} HUP")


Fault = Callable[[World], None]
DEVICES: tuple[Fault, ...] = (plug, plug, unplug, unplug, storm, storm, replug_controller, reauthorize)
OTHERS: tuple[Fault, ...] = (
    start_or_stop, start_or_stop, restart_guest, reset, suspend_and_resume, crash, save_and_restore,
    restart_libvirtd, kill_libvirtd, restart_udevd, overrun,
    kill_worker, kill_worker, kill_supervisor, restart_service, reload_moves_a_device, early_reload)


RACES: tuple[Fault, ...] = (restart_guest, crash, save_and_restore)  # others may take what the guest had meanwhile


def both(world: World, one: Fault, other: Fault) -> None:
    """Two at once, the second up to half a second later."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            time.sleep(pause)
            other(world)
        except BaseException as error:
            errors.append(error)

    pause = world.chance.random() / 2
    thread = threading.Thread(target=run)
    thread.start()
    with contextlib.ExitStack() as stack:
        stack.callback(thread.join)
        one(world)
    if errors:
        raise errors[0]
