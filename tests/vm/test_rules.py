# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What a rule may ask for, asked of real devices."""

import contextlib
from collections.abc import Iterator

from case import Case
from daemon import config, rule_of
from guests import UsbDevice

_RULES = "/run/udev/rules.d/99-whawty-test.rules"


def env(name: str, **condition: str) -> str:
    """A rule with one condition on a udev variable."""
    ((how, value),) = condition.items()
    return f"{{udev: {{env: [{{name: {name}, {how}: '{value}'}}]}}}}"


class Rules(Case):
    def assert_selects(self, cases: list[tuple[str, list[UsbDevice]]]) -> None:
        """Each rule in turn gives the guest exactly these devices."""
        self.running("a")
        self.daemon.start(config(a=rule_of("NOTHING")))
        for rule, devices in cases:
            with self.subTest(rule=rule):
                self.daemon.reload(config(a=rule))
                self.await_hostdevs("a", *devices)

    @contextlib.contextmanager
    def udev_rules(self, *rules: str) -> Iterator[None]:
        self.hypervisor.run("mkdir -p /run/udev/rules.d")
        self.hypervisor.write_file(_RULES, "".join(f"{rule}\n" for rule in rules))
        self.hypervisor.run("udevadm control --reload")
        try:
            yield
        finally:
            self.hypervisor.run(f"rm {_RULES}; udevadm control --reload")

    def test_numbers_select_by_place_and_by_kind(self) -> None:
        tablet, disk = self.plug("TABLET"), self.plug("DISK", "usb-storage")
        place = f"bus: {tablet.bus}, device: {tablet.device}"
        self.assert_selects([
            (f"{{{place}}}", [tablet]),
            (f"{{vendor-id: 0x{disk.vendor:04x}, product-id: 0x{disk.product:04x}}}", [disk]),
            (f"{{vendor-id: {tablet.vendor}}}", [tablet]),
            (f"{{{place}, vendor-id: 0x{disk.vendor:04x}}}", []),
            (f"{{bus: {disk.bus}, vendor-id: 0x{disk.vendor:04x}}}", [disk]),
        ])

    def test_variables_select_by_value_or_by_unanchored_pattern(self) -> None:
        one, two = self.plug("ALPHA-1"), self.plug("BETA-2", "usb-storage")
        self.assert_selects([
            (env("ID_SERIAL_SHORT", equals="ALPHA-1"), [one]),
            (env("ID_SERIAL_SHORT", pattern="HA-"), [one]),
            (env("ID_SERIAL_SHORT", pattern="^HA-"), []),
            (env("ID_SERIAL_SHORT", pattern="^(ALPHA-1|BETA-2)$"), [one, two]),
            (env("ID_SERIAL_SHORT", equals="ALPHA"), []),
            (env("ID_USB_INTERFACES", pattern=":0806[0-9a-f]{2}:"), [two]),
            (env("ID_USB_INTERFACES", pattern="(?i)^:03"), [one]),
            (env("NO_SUCH_VARIABLE", pattern=".*"), []),
        ])

    def test_the_path_selects_a_socket_whatever_is_plugged(self) -> None:
        self.running("a")
        self.plug("HUB", "usb-hub", port="5")
        here = self.plug("ONE", port="5.2")
        self.plug("BESIDE", port="5.3")
        path = self.hypervisor.run(f"udevadm info -q property --property=ID_PATH --value /sys/bus/usb/devices/{here.name}")
        self.assertRegex(path.stdout, r"-usb-0:5\.2\n$")
        self.daemon.start(config(a=env("ID_PATH", equals=path.stdout.strip())))
        self.await_hostdevs("a", here)
        self.pull("ONE", here)
        self.await_hostdevs("a")
        self.await_hostdevs("a", self.plug("ANOTHER", "usb-storage", port="5.2"))

    def test_all_conditions_of_a_rule_and_any_rule_of_a_machine(self) -> None:
        one, two = self.plug_tablets("ALPHA-1", "BETA-2")
        both = "{udev: {env: [{name: ID_SERIAL_SHORT, equals: ALPHA-1}, {name: ID_VENDOR_ID, equals: '%s'}]}}"
        self.assert_selects([(both % "0627", [one]), (both % "0628", [])])
        self.daemon.reload(config(a=[rule_of("ALPHA-1"), rule_of("BETA-2")]))
        self.await_hostdevs("a", one, two)

    def test_the_empty_string_equals_an_empty_variable_and_not_a_missing_one(self) -> None:
        """udev never keeps an empty value; the kernel's uevent file may, so one is laid over the device's.

        Newer releases of libudev tell no such variable at all.
        """
        one = self.plug("EMPTY")
        self.plug("OTHER", "usb-storage")
        uevent = f"/sys/bus/usb/devices/{one.name}/uevent"
        self.hypervisor.run(f"cat {uevent} >/run/uevent; echo WHAWTY_EMPTY= >>/run/uevent; "
                            f"{self.hypervisor.label_like(uevent)} /run/uevent; "
                            f"mount --bind /run/uevent $(realpath {uevent})")
        self.addCleanup(self.hypervisor.run, f"umount $(realpath {uevent})")
        told = "WHAWTY_EMPTY=\n" in self.hypervisor.run(f"udevadm info -q property {uevent[:-7]}").stdout
        self.assert_selects([(env("WHAWTY_EMPTY", equals=""), [one] if told else []),
                             (env("NO_SUCH_VARIABLE", equals=""), []),
                             (env("ID_SERIAL_SHORT", equals=""), [])])

    def test_tags_and_current_tags_are_two_things(self) -> None:
        """A tag that a later event no longer sets stays among the tags, and leaves the current ones."""
        with self.udev_rules('ATTR{serial}=="TAGGED", TAG+="blue"',
                             'ACTION=="add", ATTR{serial}=="TAGGED", TAG+="first-only"'):
            device, _ = self.plug_tablets("TAGGED", "PLAIN")
            place = f"/sys/bus/usb/devices/{device.name}"
            self.hypervisor.run(f"udevadm settle; udevadm trigger --settle -c change {place}")
            shown = dict(line.partition("=")[::2] for line in
                         self.hypervisor.run(f"udevadm info -q property {place}").stdout.splitlines())
            self.assertIn(":first-only:", shown["TAGS"])
            self.assertNotIn(":first-only:", shown["CURRENT_TAGS"])
            self.assert_selects([("{udev: {tags: [blue, first-only]}}", [device]),
                                 ("{udev: {current-tags: [first-only]}}", []),
                                 ("{udev: {current-tags: [blue]}}", [device]),
                                 ("{udev: {tags: [blue, red]}}", [])])

    def test_a_change_of_a_variable_counts_at_once(self) -> None:
        """udev's rules may change what a device is while it is plugged."""
        self.running("a")
        device = self.plug("CHANGES")
        self.daemon.start(config(a=env("WHAWTY_ROLE", equals="guest")))
        for role, devices in (("guest", [device]), ("host", [])):
            with self.udev_rules(f'ATTR{{serial}}=="CHANGES", ENV{{WHAWTY_ROLE}}="{role}"'):
                self.hypervisor.run(f"udevadm trigger -c change /sys/bus/usb/devices/{device.name}")
                self.await_hostdevs("a", *devices)

    def test_twins_go_each_to_its_own_guest(self) -> None:
        """The same vendor and product; only the serial tells them apart."""
        self.running("a", "b")
        self.daemon.start(config(a=rule_of("TWIN-A"), b=rule_of("TWIN-B")))
        for_b, for_a = self.plug_tablets("TWIN-B", "TWIN-A")
        self.await_hostdevs("a", for_a)
        self.await_hostdevs("b", for_b)
        self.unplug("TWIN-B")
        self.await_hostdevs("b")
        self.assert_hostdevs("a", for_a)


class Hubs(Case):
    def setUp(self) -> None:
        # libvirt refuses a device without a node: no mistake of the daemon can take the root hubs away. Cleanups run
        # last to first, so this one, given before all others, puts the nodes back when the daemon has been stopped.
        self.addCleanup(self.hypervisor.run, "mknod -m 664 /dev/bus/usb/001/001 c 189 0; "
                                             "mknod -m 664 /dev/bus/usb/002/001 c 189 128")
        super().setUp()
        self.hypervisor.run("rm /dev/bus/usb/00?/001")

    def test_hubs_are_never_attached_and_what_is_behind_them_is(self) -> None:
        self.running("a")
        hub = self.plug("HUB", "usb-hub", port="5")
        self.daemon.start(config(a=[f"{{vendor-id: 0x{hub.vendor:04x}}}", "{vendor-id: 0x1d6b}", "{bus: 1}", "{bus: 2}"]))
        behind = self.plug("BEHIND", port="5.3")
        self.await_hostdevs("a", behind)
        beside = self.plug("BESIDE")
        self.await_hostdevs("a", behind, beside)
        self.assertEqual(len(self.said("ttach")), 2)

    def test_a_hub_plugged_later_is_not_attached_either(self) -> None:
        self.running("a")
        self.daemon.start(config(a="{bus: 1}"))
        self.plug("HUB", "usb-hub", port="5")
        self.await_hostdevs("a", self.plug("BEHIND", port="5.3"))
        self.assertEqual(len(self.said("ttach")), 1)
