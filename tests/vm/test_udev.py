# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What udev wrote and the scanner cannot read is not what udev did not write."""

from case import Case
from daemon import config, rule_of
from guests import UsbDevice

_CONTROL = "/run/udev/control"
_ASIDE = "/run/whawty-aside"
_UNREAD = "stays what it was, udev's record of it cannot be read: "
# Of a device that was connected so long ago, the scanner does not wait for a record.
_LONG_AGO = 40_000  # milliseconds

# Puts one file in the place of another, and that in its own, at once: renameat2(2) with RENAME_EXCHANGE.
_EXCHANGE = "perl -e 'syscall(316, -100, $ARGV[0], -100, $ARGV[1], 2) == 0 or die $!'"


class Records(Case):
    def record(self, device: UsbDevice) -> str:
        return f"/run/udev/data/c189:{(device.bus - 1) * 128 + device.device - 1}"

    def make_unreadable(self, device: UsbDevice) -> str:
        """A folder is in its place until the test ends, or what is returned is done."""
        record = self.record(device)
        again = f"{_EXCHANGE} {record} {_ASIDE} && rmdir {_ASIDE}"
        self.addCleanup(self.hypervisor.run, f"[ ! -d {record} ] || {{ {again}; }}")
        self.hypervisor.run(f"mkdir {_ASIDE}; {self.hypervisor.label_like(record)} {_ASIDE}; "
                            f"{_EXCHANGE} {record} {_ASIDE}")
        return again

    def connect_long_ago(self, device: UsbDevice) -> None:
        since = f"/sys/bus/usb/devices/{device.name}/power/connected_duration"
        self.hypervisor.run(f"echo {_LONG_AGO} >/run/since; {self.hypervisor.label_like(since)} /run/since; "
                            f"mount --bind /run/since {since}")
        self.addCleanup(self.hypervisor.run, f"umount --lazy {since}")

    def test_a_device_stays_with_its_guest_whose_record_cannot_be_read(self) -> None:
        """As long as udev may still write it, and afterwards."""
        self.running("a")
        self.daemon.start(config("1s", a=rule_of("ONE")))
        device = self.plug("ONE")
        self.await_hostdevs("a", device)
        again = self.make_unreadable(device)
        self.await_said(f"^USB device {device.name} {_UNREAD}Is a directory")
        self.assert_stays(2.5, "a", device)
        self.connect_long_ago(device)
        self.assert_stays(2.5, "a", device)
        self.hypervisor.run(again)
        self.assert_stays(2.5, "a", device)
        self.assertEqual((len(self.said("^detached ")), len(self.said(_UNREAD))), (0, 1))

    def test_no_guest_gets_a_device_whose_record_cannot_be_read(self) -> None:
        """Not by a rule that needs no variable either: with them, it may be another guest's."""
        self.running("a", "b")
        self.daemon.start(config(b=rule_of("BARRIER")))
        device = self.plug("ONE")
        self.await_record(device)
        self.daemon.stop()
        again = self.make_unreadable(device)
        self.daemon.start(config("1s", a=rule_of("ONE"), b=["{vendor-id: 0x0627, product-id: 0x0001}"]))
        self.await_said(f"^USB device {device.name} {_UNREAD}Is a directory")
        self.connect_long_ago(device)
        self.assert_stays(2.5, "a")
        self.assert_hostdevs("b")
        self.hypervisor.run(again)
        self.await_hostdevs("a", device)
        self.assert_hostdevs("b")

    def await_record(self, device: UsbDevice) -> None:
        self.hypervisor.run(f"udevadm settle; test -f {self.record(device)}")


class Control(Case):
    def test_a_socket_of_udevd_that_cannot_be_looked_at_is_not_taken_for_no_udevd(self) -> None:
        """Without udevd, the device would be given away by what little is known of it."""
        self.allow_error(f"^{_CONTROL}: Too many levels of symbolic links")
        self.running("a", "b")
        self.daemon.start(config("1s", a=[rule_of("KEPT"), rule_of("ONE")], b="{vendor-id: 0x0627}"))
        kept = self.plug("KEPT")
        self.await_hostdevs("a", kept)
        label = f"{self.hypervisor.label_like(_CONTROL + '.aside')} -h {_CONTROL}"
        self.hypervisor.run(f"udevadm control --stop-exec-queue; mv {_CONTROL} {_CONTROL}.aside; "
                            f"ln -s control {_CONTROL}; {label}")
        again = f"[ ! -e {_CONTROL}.aside ] || mv -fT {_CONTROL}.aside {_CONTROL}; udevadm control --start-exec-queue"
        self.addCleanup(self.hypervisor.run, again)
        device = self.plug("ONE")
        self.await_said(f"^{_CONTROL}: Too many levels of symbolic links")
        self.assert_stays(2.5, "a", kept)
        self.assert_hostdevs("b")
        self.hypervisor.run(again)
        self.await_hostdevs("a", kept, device)
        self.assert_hostdevs("b")
        self.assertEqual(self.said("udevd does not run"), [])
