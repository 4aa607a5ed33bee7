# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The debug log is what people write their rules from: it must be what udevadm shows."""

import re

from case import PATIENCE, Case
from daemon import config, rule_of
from guests import UsbDevice
from hypervisor import wait_until

_ODD_SERIALS = ('spaces in it', '"begins with a quote', 'quote"inside', r'back\slash', "umlauts \u00e4\u00f6\u00fc",
                "apostrophe's", "%n %s ${x}", "comma,", "tab\there")
_ODD_VARIABLES = rb'''
ODD_QUOTE="begins with a quote
ODD_BOTH="quote, back\slash and \x41
ODD_BYTES=\ back and '''.strip() + b"\xff\x01\xc3\xa4 \n"
_ESCAPE = re.compile(r'\\(x[0-9a-f]{2}|.)')


def unshow(text: str) -> bytes:
    """The bytes behind a value as the log shows it."""
    if not text.startswith('"'):
        return text.encode()
    assert text.endswith('"') and len(text) > 1, text
    return _ESCAPE.sub(lambda found: chr(int(found[1][1:], 16)) if len(found[1]) == 3 else found[1],
                       text[1:-1]).encode("latin-1")


class Device:
    """A device as the debug log lists it."""

    def __init__(self, head: str) -> None:
        self.name = head.rpartition("port=")[2]
        self.properties: list[tuple[bytes, bytes]] = []
        self.tags: list[str] = []
        self.current_tags: list[str] = []


def devices_of(log: str) -> dict[str, Device]:
    """The last listing of each device, by its name in sysfs."""
    devices: dict[str, Device] = {}
    last = None
    for line in log.splitlines():
        text = line.partition(" matcher: ")[2]
        if text.startswith("device "):
            last = Device(text)
            devices[last.name] = last
        elif last and text.startswith("  tags:"):
            last.tags = text.partition(":")[2].split()
        elif last and text.startswith("  current tags:"):
            last.current_tags = text.partition(":")[2].split()
        elif last and text.startswith("  ") and " = " in text:
            name, _, value = text.strip(" ").partition(" = ")
            last.properties.append((unshow(name), unshow(value)))
    return devices


class Debug(Case):
    def shown_by_udevadm(self, name: str) -> dict[bytes, bytes]:
        output = self.hypervisor.run(f"udevadm info --query=property --path=/sys/bus/usb/devices/{name}").stdout
        return dict(line.split(b"=", 1) for line in output.encode("utf-8", "surrogateescape").split(b"\n") if line)

    def test_devices_variables_tags_and_guests_are_listed_as_udevadm_and_virsh_show_them(self) -> None:
        """The variable that asks for it may be empty."""
        self.guests.define("off")
        self.addCleanup(self.guests.undefine, "off")
        for number, serial in enumerate(_ODD_SERIALS):
            self.stage.plug(serial, ("usb-tablet", "usb-mouse", "usb-kbd")[number % 3])
        self.plug("HUB", "usb-hub")
        wait_until(lambda: int(self.hypervisor.run("ls -d /sys/bus/usb/devices/*/idVendor | wc -l").stdout)
                   == len(_ODD_SERIALS) + 3, PATIENCE, "all are there")
        self.hypervisor.run("udevadm settle")
        self.lay_over_the_uevent_of(self.plug("LAID-OVER"))
        self.daemon.configure(config(a=rule_of("NONE")))
        process = self.daemon.run_by_hand("WHAWTY_LIBVIRT_USB_HOTPLUGD_DEBUG=")
        try:
            wait_until(lambda: re.search(r"guest off .*off\n", process.output()) and
                       self.all_listed(devices_of(process.output())), PATIENCE, "devices and guests")
        finally:
            process.kill()
            self.assertEqual(process.wait(), 0)
        self.assertRegex(process.output(), r"guest a [0-9a-f-]{36} running\n")
        for name, device in devices_of(process.output()).items():
            with self.subTest(device=name):
                self.assert_as_udevadm(name, device)

    @staticmethod
    def all_listed(devices: dict[str, Device]) -> bool:
        """A device that did not answer in time is listed without properties, and once more when it has answered."""
        return len(devices) == len(_ODD_SERIALS) + 4 and all(device.properties for device in devices.values())

    def lay_over_the_uevent_of(self, device: UsbDevice) -> None:
        """udev tames what comes from a device; the kernel's own file is shown as it is."""
        uevent = f"/sys/bus/usb/devices/{device.name}/uevent"
        self.hypervisor.run(f"cat {uevent} - >/run/uevent; mount --bind /run/uevent $(realpath {uevent})", stdin=_ODD_VARIABLES)
        self.addCleanup(self.hypervisor.run, f"umount $(realpath {uevent})")

    def assert_as_udevadm(self, name: str, device: Device) -> None:
        shown = self.shown_by_udevadm(name)
        for list_name, tags in ((b"TAGS", device.tags), (b"CURRENT_TAGS", device.current_tags)):
            self.assertEqual(sorted(tags), sorted(filter(None, shown.pop(list_name, b"").decode().split(":"))))
        self.assertEqual(dict(device.properties), shown)
        self.assertEqual(device.properties, sorted(device.properties))

    def test_without_the_variable_nothing_is_listed(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        self.await_hostdevs("a", self.plug("ONE"))
        self.assertEqual(self.said("ID_SERIAL_SHORT"), [])
        self.assertLessEqual(len(self.said("")), 4)
