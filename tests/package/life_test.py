# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The life of the package on a fresh hypervisor: installed, used, upgraded, removed, purged.

The tests are chapters: each goes on where the one before it ended. No device leaves its guest on the way.
"""

import pathlib
import re
import shutil
import tempfile
import unittest

from deb import NAME, Debs, field, make_newer
from case import Stage, numbers
from daemon import CONFIG, UNIT, machine, rule_of
from guests import UsbDevice, find_usb, hostdev_xml
from hypervisor import TREE_MOUNT, Hypervisor, wait_until

_SECONDS = 30.0
_RULE = f"/etc/{NAME}/machines.d/a.yml"
_USERS = {NAME: "whawty-usb-supervisor", "scanner": "whawty-usb-scanner", "matcher": "whawty-usb-matcher",
          "actuator": "whawty-usb-actuator", "gate": "whawty-usb-gate"}
_DROP_IN = f"""[Service]
Environment=OPTIONS=--domains=/etc/{NAME}/domains"""
_OPERATORS_OWN = (f"/etc/sysusers.d/{NAME}.conf", f"/etc/polkit-1/rules.d/50-{NAME}.rules",
                  f"/etc/systemd/system/{UNIT}.d")


class Life(unittest.TestCase):
    """Guest a gets a device by a rule; guest b has one by hand and is in no rule."""

    @classmethod
    def setUpClass(cls) -> None:
        disk = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        shutil.copy(Debs.one(), disk)
        cls.deb = f"{TREE_MOUNT}/{Debs.one().name}"
        with tempfile.TemporaryDirectory() as scratch:
            newer = make_newer(Debs.one(), disk, pathlib.Path(scratch))
        cls.newer, cls.newer_version = f"{TREE_MOUNT}/{newer.name}", field(newer, "Version")
        cls.hypervisor = cls.enterClassContext(Hypervisor(disk, Debs.system))
        cls.stage = Stage(cls.hypervisor)
        cls.daemon = cls.stage.daemon
        cls.hypervisor.run("rm -f /etc/dpkg/dpkg.cfg.d/99mmdebstrap")  # it leaves documentation out
        cls.stage.guests.await_libvirt()
        for name in ("a", "b"):
            cls.stage.run_guest(name)
        for serial in ("RULE", "HAND"):
            cls.stage.plug(serial)
        cls.rule, cls.hand = (find_usb(cls.hypervisor, serial) for serial in ("RULE", "HAND"))
        cls.stage.guests.attach("b", hostdev_xml(cls.hand))
        cls.watch()

    def apt(self, *arguments: str) -> None:
        self.hypervisor.run(f"DEBIAN_FRONTEND=noninteractive apt-get --yes {' '.join(arguments)}", 120)

    def state(self, question: str) -> str:
        return self.hypervisor.run(f"systemctl {question} {UNIT}", check=False).stdout.strip()

    @classmethod
    def watch(cls) -> None:
        """Hear of every change from here on; a restart of libvirtd ends it."""
        cls.events = cls.hypervisor.start("exec stdbuf -oL virsh event --all --loop")

    def assert_runs(self, since: int = 0) -> None:
        """It has said that it is ready, with five processes of five users, and nothing to complain about."""
        self.assertEqual((self.state("is-active"), self.state("is-enabled")), ("active", "enabled"))
        processes = wait_until(lambda: len(found := self.daemon.processes()) == 5 and found, _SECONDS, "five processes")
        users = {name: self.hypervisor.run(f"stat -c %U /proc/{pid}").stdout.strip() for name, pid in processes.items()}
        self.assertEqual(users, _USERS)
        self.assertEqual(self.daemon.complaints(since), [])

    def holdings(self, guest: str) -> list[object]:
        return list(map(numbers, self.stage.hostdevs(guest)))

    def assert_devices_stayed(self, *of_a: UsbDevice) -> None:
        """Now, and at every moment since the start: libvirt reported no device that left."""
        self.assertIsNone(self.events.wait(0), self.events.output())
        self.assertEqual(self.holdings("a"), list(map(numbers, of_a)))
        self.assertEqual(self.holdings("b"), [numbers(self.hand)])
        self.assertNotIn("device-removed", self.events.output())

    def test_1_installed_it_runs_and_changes_nothing(self) -> None:
        self.apt("install", self.deb)
        self.assert_runs()
        self.daemon.await_line("using the configuration: 0 machines", 0)
        self.daemon.await_line("connected to qemu:///system", 0)
        self.assert_devices_stayed()

    def test_2_one_file_and_a_reload_give_the_guest_its_device(self) -> None:
        self.hypervisor.write_file(_RULE, machine(rule_of("RULE")))
        self.hypervisor.run(f"systemctl reload {UNIT}")
        wait_until(lambda: self.holdings("a"), _SECONDS, "a has a device", 0.2)
        self.assert_devices_stayed(self.rule)
        self.assertIn("device-added", self.events.output())  # else it would not tell of one that leaves either

    def test_3_hardened_as_the_guide_says_the_gate_can_do_its_work_and_no_more(self) -> None:
        self.stage.plug("MORE")
        type(self).more = find_usb(self.hypervisor, "MORE")
        self.hypervisor.run(f"""set -e
            mkdir -p /etc/sysusers.d
            sed '/^m /d' /usr/lib/sysusers.d/{NAME}.conf >/etc/sysusers.d/{NAME}.conf
            gpasswd --delete whawty-usb-gate libvirt
            cp /usr/share/doc/{NAME}/polkit/{NAME}.rules /etc/polkit-1/rules.d/50-{NAME}.rules
            echo 'access_drivers = [ "polkit" ]' >>/etc/libvirt/libvirtd.conf
            echo a >/etc/{NAME}/domains
            mkdir /etc/systemd/system/{UNIT}.d
            echo '{_DROP_IN}' >/etc/systemd/system/{UNIT}.d/domains.conf
            systemctl daemon-reload
            systemctl restart libvirtd {NAME}""", 60)
        self.watch()
        self.hypervisor.write_file(_RULE, machine(rule_of("RULE"), rule_of("MORE")))
        self.hypervisor.run(f"systemctl reload {UNIT}")
        wait_until(lambda: len(self.holdings("a")) == 2, _SECONDS, "a has a second device", 0.2)
        self.assert_devices_stayed(self.rule, self.more)
        refused = self.hypervisor.run(
            "HOME=/root setpriv --reuid=whawty-usb-gate --regid=whawty-usb-gate --init-groups "
            "virsh --connect qemu:///system destroy b", check=False)
        self.assertIn("access denied", refused.stderr)

    def test_4_an_upgrade_restarts_the_daemon_and_keeps_what_the_operator_made_and_the_devices(self) -> None:
        edited = "interval: 1h\n"
        self.hypervisor.write_file(CONFIG, edited)
        before, mark = self.daemon.processes(), self.daemon.mark()
        self.apt("install", self.newer)
        installed = self.hypervisor.run(f"dpkg-query --show --showformat '${{Version}} ${{Status}}' {NAME}").stdout
        self.assertEqual(installed, f"{self.newer_version} install ok installed")
        self.assert_runs(mark)
        self.assertTrue(set(before.values()).isdisjoint(self.daemon.processes().values()), "the old daemon still runs")
        self.daemon.await_line("using the configuration: 1 machine", mark)
        self.daemon.await_line("connected to qemu:///system", mark)
        self.assertEqual(self.hypervisor.read_file(CONFIG).decode(), edited)
        self.assertNotIn("libvirt", self.hypervisor.run("id --name --groups whawty-usb-gate").stdout.split())
        self.assert_devices_stayed(self.rule, self.more)

    def test_5_removed_it_is_gone_and_leaves_configuration_and_devices(self) -> None:
        self.apt("remove", NAME)
        self.assertEqual(self.state("is-active"), "inactive")
        self.assertEqual(self.state("show --value --property=LoadState"), "not-found")
        self.assertEqual(self.hypervisor.run("pgrep -u whawty-usb-supervisor", check=False).stdout, "")
        self.assertEqual(self.hypervisor.run(f"ls -d /usr/libexec/{NAME} /usr/sbin/{NAME}", check=False).stdout, "")
        self.hypervisor.run(f"test -f {CONFIG} && test -f {_RULE}")
        self.assert_devices_stayed(self.rule, self.more)

    def test_6_purged_it_leaves_nothing_but_its_users_and_the_devices(self) -> None:
        self.hypervisor.run(f"rm -r {' '.join(_OPERATORS_OWN)}")
        self.apt("purge", NAME)
        left = self.hypervisor.run("find / /run -xdev -name '*whawty*'").stdout.split()
        self.assertEqual([path for path in left if path not in (TREE_MOUNT, "/run/whawty-test.cursor")], [])
        named = self.hypervisor.run("grep -rls whawty /etc /var/lib/systemd", check=False).stdout.split()
        self.assertEqual([path for path in named if not re.fullmatch("/etc/(passwd|group|g?shadow)-?", path)], [])
        for user in _USERS.values():
            self.hypervisor.run(f"getent passwd {user}")
        self.assert_devices_stayed(self.rule, self.more)
