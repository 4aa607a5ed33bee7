# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Configurations that come, go and fail, and the interval."""

from case import Case
from daemon import CONFIG, UNIT, config, machine, rule_of
from guests import hostdev_xml


class Reload(Case):
    def test_a_reload_acts_at_once(self) -> None:
        self.running("a")
        one, two = self.plug_tablets("ONE", "TWO")
        self.daemon.start(config(a=rule_of("ONE")))
        self.await_hostdevs("a", one)
        self.daemon.reload(config(a=rule_of("TWO")))
        self.await_hostdevs("a", two)
        self.daemon.configure(config(a=rule_of("ONE")), then=f"systemctl kill -s HUP --kill-whom=main {UNIT}")
        self.await_hostdevs("a", one)

    def test_a_bad_reload_keeps_the_configuration_and_says_where_the_mistake_is(self) -> None:
        self.allow_error("no-such-key")
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        self.daemon.reload("interval: 1h\nmachines:\n  a:\n    devices:\n    - no-such-key: 1\n")
        self.assertRegex(self.await_said("no-such-key").text, r"config\.yml:5:7: .*[Kk]eeping")
        one = self.plug("ONE")
        self.await_hostdevs("a", one)
        self.assertEqual(self.daemon.unit_property("ActiveState"), "active")
        self.daemon.reload(config(a=rule_of("TWO")))
        self.await_hostdevs("a")

    def test_a_reload_without_a_main_file_keeps_the_configuration(self) -> None:
        self.allow_error("config.yml")
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        self.hypervisor.run(f"rm {CONFIG}; systemctl reload {UNIT}")
        self.await_said("config.yml")
        self.await_hostdevs("a", self.plug("ONE"))

    def test_files_of_machines_d_come_replace_and_go(self) -> None:
        self.running("a", "b")
        one, two = self.plug_tablets("ONE", "TWO")
        self.daemon.start(config(a=rule_of("ONE")))
        self.await_hostdevs("a", one)
        self.daemon.reload(config(a=rule_of("ONE")),
                           {"b.yml": machine(rule_of("TWO")), "ignored.txt": "{", "b.yml.bak": "{"})
        self.await_hostdevs("b", two)
        self.assert_hostdevs("a", one)
        self.daemon.reload(config(a=rule_of("ONE")), {"a.yml": machine(rule_of("TWO"))})
        # a now wants what b holds without a right to it, so it moves.
        self.daemon.reload(config(a=rule_of("ONE"), b=rule_of("NONE")), {"a.yml": machine(rule_of("TWO"))})
        self.await_hostdevs("a", two)
        self.assertGreaterEqual(len(self.said(r"a\.yml")), 1)
        self.daemon.reload(config(a=rule_of("ONE")))
        self.await_hostdevs("a", one)

    def test_an_empty_main_file_with_machines_only_in_machines_d(self) -> None:
        self.running("a")
        self.daemon.start("{}", {"a.yml": "---\n" + machine(rule_of("ONE"))})
        self.await_hostdevs("a", self.plug("ONE"))


class Bad(Case):
    def assert_refused(self, message: str, main: str, machines: dict[str, str] | None = None) -> None:
        self.allow_error(message)
        self.daemon.configure(main, machines)
        self.assertNotEqual(self.hypervisor.run(f"systemctl start {UNIT}", check=False).returncode, 0)
        self.hypervisor.run(f"systemctl stop {UNIT}")  # or systemd would try for ever
        self.await_said(message)
        self.assertTrue([line for line in self.daemon.log(self.start_of_log)
                         if "Main process exited, code=exited, status=1/" in line.text])

    def test_a_mistake_at_the_start_is_the_end_with_status_1(self) -> None:
        self.assert_refused(r"config\.yml:1:1: .*intervall", "intervall: 1h\n")

    def test_a_mistake_in_machines_d_is_one_too(self) -> None:
        self.assert_refused(r"a\.yml:1:\d+: ", "{}", {"a.yml": "devices: []\n"})


class Interval(Case):
    def test_each_interval_sees_what_no_event_told(self) -> None:
        """udev's database, written as udevd does it, but without a word: the next look finds it, and only the next look."""
        self.running("a")
        device = self.plug("SILENT")
        rule = "{udev: {env: [{name: WHAWTY_SILENT, equals: 'yes'}]}}"
        self.daemon.start(config(a=[rule, rule_of("BARRIER")]))
        self.await_hostdevs("a", self.plug("BARRIER"))
        record = f"/run/udev/data/c189:{(device.bus - 1) * 128 + device.device - 1}"
        self.hypervisor.run(f"sed -i '$ a E:WHAWTY_SILENT=yes' {record}")
        self.unplug("BARRIER")
        self.await_hostdevs("a")
        self.daemon.reload(config("1s", a=rule_of("NONE")))
        self.daemon.reload(config("1s", a=rule))
        self.await_hostdevs("a", device)
        mark = self.daemon.mark()
        self.hypervisor.run(f"sed -i /WHAWTY_SILENT/d {record}")
        self.daemon.await_line("^detached .*SILENT", mark, timeout=5)

    def test_an_interval_repairs_both_kinds_of_meddling(self) -> None:
        self.running("a")
        self.daemon.start(config("1s", a=rule_of("OURS")))
        ours, theirs = self.plug_tablets("OURS", "THEIRS")
        self.await_hostdevs("a", ours)
        self.guests.detach("a", hostdev_xml(ours))
        self.attach_by_hand("a", theirs)
        self.await_said("^detached .*THEIRS")
        self.await_hostdevs("a", ours)
