#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""How long a plugged device takes into its guest, and how long libvirt alone takes for the same.

Measured in turn, on one hypervisor, with two guests that are alike:
  daemon  a device that the configuration gives to one guest is plugged. The clock starts when udev announces it (its
          "add" event after udev's rules, stamped by udevadm monitor).
  floor   a device that is given to nobody was plugged before and udev has long finished with it. The clock starts when
          a virsh that is already connected is told to attach it to the other guest: no start of a process, no
          connection, no decision, two libvirt calls (look-up and attach), as the daemon makes them.
  busy    as floor, but told at udev's event, while udev and the kernel are still at work on the device: what a daemon
          could reach that takes no time for itself. It tells the daemon's share from udev's, which grows where
          processors are few or shared.
The clock stops when libvirt announces to a third connection (virsh event) that the device is in the live XML
(device-added), and each time the live XML is looked at, afterwards. One observer inside stamps all with one clock
(CLOCK_MONOTONIC). Nothing else is asked of the hypervisor while a clock runs, since that would cost it processor time.
The kinds take turns, and half-way the guests change roles, so that neither drift nor a guest counts for one side. The
first round of each kind is not counted: all is cold. The medians are compared.

    latency.py --tree DIR [--rounds N]
"""

import argparse
import pathlib
import shlex
import statistics
import sys
import time

import systems
from case import PATIENCE, Stage, staged
from daemon import config, rule_of
from guests import find_usb
from hypervisor import Started, wait_until

ROUNDS = 10  # of each kind
KINDS = ("daemon", "floor", "busy")
_GUESTS = ("a", "b")
_SERIALS = {"daemon": "BY-DAEMON", "floor": "BY-COMMAND", "busy": "BY-UDEV"}
_QUIET_SECONDS = 1.2  # in which nothing is asked of the hypervisor

# Perl, since the hypervisor's image has it. It takes the lines of udevadm and virsh as they come; each event is a line:
#   udev SECONDS SERIAL   the device was announced        start SECONDS GUEST   the command was written to virsh
#   added SECONDS GUEST   libvirt announced a hostdev
# It is told to attach by a line "GUEST VENDOR PRODUCT BUS DEVICE" in /run/floor.in.
_OBSERVER = r"""
use strict; use warnings; use IO::Select; use IO::Handle;
STDOUT->autoflush(1);
sub now { my $t = pack "qq"; $t = "\0" x 16; syscall 228, 1, $t; my ($s, $n) = unpack "qq", $t; $s + $n / 1e9 }
open my $udev, "-|", "exec stdbuf -oL udevadm monitor --udev --property --subsystem-match=usb/usb_device" or die;
open my $libvirt, "-|", "exec stdbuf -oL virsh event --all --loop" or die;
open my $virsh, "|-", "exec virsh >/run/floor.out 2>&1" or die;
$virsh->autoflush(1);
print $virsh "list\n";
open my $commands, "+<", "/run/floor.in" or die;
my %take = ($udev => \&udev_line, $libvirt => \&libvirt_line, $commands => \&command_line);
my ($at, %device, %rest); $rest{$_} = "" for keys %take;
sub attach {
    my $name = shift;
    open my $xml, ">", "/run/floor.xml" or die;
    printf $xml "<hostdev mode='subsystem' type='usb' managed='yes'><source>"
        . "<vendor id='0x%s'/><product id='0x%s'/><address bus='%d' device='%d'/></source></hostdev>", @_;
    close $xml;
    printf "start %.6f %s\n", now(), $name;
    print $virsh "attach-device $name /run/floor.xml --live\n";
}
sub command_line {
    select undef, undef, undef, 0.4; # what brought the line has ended by then
    attach(split / /, shift);
}
sub udev_line {
    my $line = shift;
    if ($line =~ /^UDEV +\[([0-9.]+)\] add /) { $at = $1; %device = (ID_SERIAL_SHORT => "-"); }
    elsif ($line =~ /^([A-Z_]+)=(.*)/ and defined $at) { $device{$1} = $2; }
    elsif ($line eq "" and defined $at) {
        if ($device{ID_SERIAL_SHORT} eq "BY-UDEV") {
            open my $guest, "<", "/run/floor.guest" or die; chomp(my $name = <$guest>);
            attach($name, @device{qw(ID_VENDOR_ID ID_MODEL_ID BUSNUM DEVNUM)});
        }
        printf "udev %.6f %s\n", $at, $device{ID_SERIAL_SHORT};
        undef $at;
    }
}
sub libvirt_line {
    printf "%s %.6f %s\n", $1, now(), $2 if shift =~ /event 'device-(added)' for domain '?([^':]+)'?: (?:hostdev|ua-whawty-usb-)/;
}
my $select = IO::Select->new($udev, $libvirt, $commands);
while (my @ready = $select->can_read) {
    for my $stream (@ready) {
        sysread($stream, $rest{$stream}, 65536, length $rest{$stream}) or exit 1;
        while ($rest{$stream} =~ s/^(.*)\n//) { $take{$stream}->($1) }
    }
}
"""


class Figures(dict[str, list[float]]):
    """The milliseconds of every round, by kind."""

    @property
    def ratio(self) -> float:
        return self._ratio_to("floor")

    @property
    def ratio_to_busy(self) -> float:
        return self._ratio_to("busy")

    def _ratio_to(self, kind: str) -> float:
        return statistics.median(self["daemon"]) / statistics.median(self[kind])

    def __str__(self) -> str:
        lines = [f"{kind:>6}: median {statistics.median(values):4.0f} ms of {len(values)}: "
                 + " ".join(f"{value:.0f}" for value in values) for kind, values in self.items()]
        return "\n".join([*lines, f"daemon / floor: {self.ratio:.2f}, daemon / busy: {self.ratio_to_busy:.2f}"])


class Observer:
    """The Perl program inside, and its events."""

    def __init__(self, stage: Stage) -> None:
        self._hypervisor = stage.hypervisor
        stage.hypervisor.write_file("/run/observer.pl", _OBSERVER)
        stage.hypervisor.run("rm -f /run/floor.in; mkfifo /run/floor.in")
        self._process: Started = stage.hypervisor.start("exec perl /run/observer.pl")
        self._seen = 0

    def take_event(self, kind: str, what: str) -> float:
        """The time of the first such event after the last one taken, in seconds of the hypervisor's clock."""
        def find() -> tuple[int, float] | None:
            for place, (event, at, name) in enumerate(self._events()):
                if place >= self._seen and (event, name) == (kind, what):
                    return place + 1, float(at)
            return None
        self._seen, at = wait_until(find, PATIENCE, f"{kind} {what}", pause=0.3)
        return at

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _events(self) -> list[list[str]]:
        return [line.split() for line in self._process.output().splitlines() if line.count(" ") == 2]


def measure(stage: Stage, rounds: int = ROUNDS) -> Figures:
    """The usual guests must be running, without hostdevs; nothing is left plugged, and the daemon stopped."""
    figures = Figures({kind: [] for kind in KINDS})
    observer = Observer(stage)
    try:
        for half, (ours, other) in enumerate((_GUESTS, _GUESTS[::-1])):
            stage.hypervisor.write_file("/run/floor.guest", f"{other}\n")
            stage.daemon.start("max-reconnects: 0\n" + config(**{ours: rule_of(_SERIALS["daemon"])}))
            for number in range(1 + (rounds + 1 - half) // 2):
                for kind in KINDS:
                    took = _round(stage, observer, kind, ours if kind == "daemon" else other)
                    if number > 0:
                        figures[kind].append(took)
            stage.daemon.stop()
    finally:
        observer.close()
    return figures


def _round(stage: Stage, observer: Observer, kind: str, guest: str) -> float:
    """One plug; the milliseconds from its start, as the kind has it, to the device in the live XML."""
    serial = _SERIALS[kind]
    stage.plug(serial)
    time.sleep(_QUIET_SECONDS)
    device = find_usb(stage.hypervisor, serial)
    if kind == "floor":
        command = f"{guest} {device.vendor:04x} {device.product:04x} {device.bus} {device.device}"
        stage.hypervisor.run(f"udevadm settle; echo {shlex.quote(command)} >/run/floor.in")
        time.sleep(_QUIET_SECONDS)
    started = observer.take_event("udev", serial) if kind == "daemon" else observer.take_event("start", guest)
    added = observer.take_event("added", guest)
    (hostdev,) = stage.hostdevs(guest)
    if (hostdev.bus, hostdev.device) != (device.bus, device.device):
        raise AssertionError(f"{guest} has {hostdev} instead of {device}")
    stage.unplug(stage.plugged[-1])
    if kind != "daemon":
        stage.virsh.detach_all(guest, [str(hostdev.alias)])
    wait_until(lambda: not stage.hostdevs(guest), PATIENCE, f"{guest} has given it back", pause=0.2)
    return 1000 * (added - started)


def parse(description: str | None, rounds: int) -> argparse.Namespace:
    """The command line of a measurement that is made so many times."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True, type=pathlib.Path, metavar="DIR")
    parser.add_argument("--rounds", type=int, default=rounds, metavar="N")
    systems.add_options(parser)
    return parser.parse_args()


def main() -> int:
    options = parse(__doc__, ROUNDS)
    with staged(options.tree, systems.chosen(options), _GUESTS) as stage:
        print(measure(stage, options.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
