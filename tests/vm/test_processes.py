# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Five processes: what the matcher does at work, and what becomes of the service when one dies."""

import os
import re
import time

from case import PATIENCE, Case
from daemon import UNIT, config, rule_of
from guests import UsbDevice
from hypervisor import wait_until

_WORKERS = ("scanner", "matcher", "actuator", "gate")
_SUPERVISOR = "whawty-libvirt-usb-hotplugd"
_SERVED_SECONDS = 2.0  # from udev's event, or the kill if that is later, to the live XML, without libvirt's part
_FORBIDDEN = re.compile(r"\b(open\w*|socket|connect|execve\w*|clone\w*|v?fork)\(")


class Matcher(Case):
    def test_the_matcher_opens_and_starts_nothing_while_it_works(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        self.await_hostdevs("a", self.plug("ONE"))
        trace = self.hypervisor.start(f"exec strace -f -o /run/strace.out -p {self.daemon.processes()['matcher']}")
        wait_until(lambda: "attached" in trace.output(), PATIENCE, "strace is attached")
        self.unplug("ONE")
        self.await_hostdevs("a")
        two = self.plug("TWO")
        self.daemon.reload(config(a=rule_of("TWO")))
        self.await_hostdevs("a", two)
        trace.kill()
        trace.wait()
        calls = self.hypervisor.read_file("/run/strace.out").decode(errors="replace")
        self.assertEqual([line for line in calls.splitlines() if _FORBIDDEN.search(line)], [])
        for expected in ("recvmsg", "pread64"):
            self.assertIn(expected, calls)


class Death(Case):
    def assert_serves_soon(self, serial: str, since: float, *others: UsbDevice) -> None:
        """Plug a device: it is in the live XML in time, beside the others. `since`: seconds since the boot inside."""
        # Through a pipe: SELinux lets udevadm write to no file of the tests.
        monitor = self.hypervisor.start(
            "exec bash -c 'exec udevadm monitor --udev --subsystem-match=usb/usb_device > >(cat)'")
        wait_until(lambda: "UDEV - " in monitor.output(), PATIENCE, "udevadm listens")
        device = self.plug(serial)
        self.await_hostdevs("a", *others, device)
        monitor.kill()
        event = re.search(rf"UDEV +\[([0-9.]+)\] add +\S*/{re.escape(device.name)} ", monitor.output())
        line = rf"^attached .*{serial}"
        served = self.said_at(line)
        by_libvirt = int(re.search(r" in (\d+) ms", self.await_said(line).text)[1]) / 1000
        self.assertLess(served - max(float(event[1]), since) - by_libvirt, _SERVED_SECONDS)

    def said_at(self, pattern: str) -> float:
        """When the daemon said that, in seconds since the hypervisor's boot; it has checked the live XML by then."""
        self.await_said(pattern)
        lines = self.hypervisor.run(f"journalctl --no-pager --unit={UNIT} --output=short-monotonic --grep='{pattern[1:]}'").stdout
        return float(re.search(r"\[ *([0-9.]+)\]", lines.splitlines()[-1])[1])

    def uptime(self) -> float:
        return float(self.hypervisor.run("cut -d' ' -f1 /proc/uptime").stdout)

    def test_a_worker_that_is_killed_is_replaced_and_the_next_plug_served_in_time(self) -> None:
        self.allow_error("^the connection to libvirt is lost: ")  # without the gate
        self.running("a")
        self.daemon.start(config(a="{vendor-id: 0x0627}"))
        kept = self.plug("KEPT")
        self.await_hostdevs("a", kept)
        for worker in _WORKERS:
            with self.subTest(worker=worker):
                before = self.daemon.processes()
                killed = self.uptime()
                self.hypervisor.run(f"kill -KILL {before[worker]}")
                self.assert_serves_soon(f"AFTER-{worker}", killed, kept)
                after = self.daemon.processes()
                self.assertEqual(after[_SUPERVISOR], before[_SUPERVISOR])
                self.assertFalse({after[name] for name in _WORKERS} & {before[name] for name in _WORKERS})
                self.unplug(f"AFTER-{worker}")
                self.await_hostdevs("a", kept)

    def test_a_supervisor_that_is_killed_leaves_no_orphan_and_systemd_starts_it_again(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("AGAIN")))
        self.await_said("connected to")
        before = self.daemon.processes()
        self.hypervisor.run(f"kill -KILL {before[_SUPERVISOR]}")
        wait_until(lambda: self.daemon.unit_property("ActiveState") == "active" and
                   self.daemon.processes().keys() >= {_SUPERVISOR, *_WORKERS}, PATIENCE, "it is back")
        self.await_hostdevs("a", self.plug("AGAIN"))
        self.assertEqual(self.alive(before), [])

    def test_workers_end_by_themselves_without_their_supervisor(self) -> None:
        """Outside systemd, which would end them anyway."""
        self.daemon.configure(config(a=rule_of("ONE")))
        process = self.daemon.run_by_hand()
        wait_until(lambda: "connected to" in process.output(), PATIENCE, "it is up")
        children = [int(pid) for pid in self.hypervisor.run(f"pgrep -P {process.pid}").stdout.split()]
        self.assertEqual(len(children), len(_WORKERS))
        self.hypervisor.run(f"kill -KILL {process.pid}")
        wait_until(lambda: not self.alive(dict(enumerate(map(int, children)))), PATIENCE, "the workers have ended")
        process.wait()

    def alive(self, processes: dict[object, int]) -> list[str]:  # type: ignore[type-var]
        return self.hypervisor.run("ls -d " + " ".join(f"/proc/{pid}" for pid in processes.values()),
                                   check=False).stdout.split()


class Terminal(Case):
    def test_workers_write_to_a_terminal_and_cannot_read_what_is_typed_there(self) -> None:
        self.running("a")
        self.daemon.configure(config(a=rule_of("ONE")))
        session = self.daemon.run_by_hand(on_terminal=True)
        try:
            self.await_hostdevs("a", self.plug("ONE"))
            for name in _WORKERS:
                opened = self.hypervisor.run(f"""
                    cd /proc/$(pgrep -x {name}) && for fd in 1 2; do
                        readlink fd/$fd | cut -d / -f 1-3; sed -n 's/^flags:.*\\(.\\)$/\\1/p' fdinfo/$fd
                    done""").stdout
                self.assertEqual(opened, f"/dev/pts\n{os.O_WRONLY}\n" * 2, name)
        finally:
            self.hypervisor.run("kill $(ps -o ppid= -p $(pgrep -x scanner))")
        self.assertEqual(session.wait(), 0)


class OnlyOne(Case):
    _REFUSED = "another daemon runs on this host, as process "
    _FOLDER = f"/run/{_SUPERVISOR}"

    def test_a_daemon_by_hand_is_refused_while_the_unit_runs_and_serves_afterwards(self) -> None:
        self.hypervisor.run(f"rm -rf {self._FOLDER}")
        self.running("a")
        self.daemon.start(config(a="{vendor-id: 0x0627}"))
        before = self.daemon.processes()
        refused = self.daemon.run_by_hand()
        self.assertEqual(refused.wait(), 1)
        self.assertRegex(refused.output(), rf"^[^\n]*{self._REFUSED}{before[_SUPERVISOR]},[^\n]*\n$")
        one = self.plug("ONE")
        self.await_hostdevs("a", one)
        self.assertEqual(self.daemon.processes(), before)
        self.daemon.stop()
        by_hand = self.daemon.run_by_hand()
        self.await_hostdevs("a", one, self.plug("TWO"))
        by_hand.kill()
        self.assertEqual(by_hand.wait(), 0)

    def test_the_unit_is_refused_while_a_daemon_by_hand_runs_and_starts_afterwards(self) -> None:
        """Root creates the folder, which the unit's user then needs."""
        self.hypervisor.run(f"rm -rf {self._FOLDER}")
        self.running("a")
        self.daemon.configure(config(a="{vendor-id: 0x0627}"))
        by_hand = self.daemon.run_by_hand()
        wait_until(lambda: "connected to" in by_hand.output(), PATIENCE, "it is up")
        self.allow_error(self._REFUSED)
        self.assertNotEqual(self.hypervisor.run(f"systemctl start {UNIT}", check=False).returncode, 0)
        self.assertTrue(self.said(f"{self._REFUSED}{by_hand.pid},"))
        self.hypervisor.run(f"systemctl stop {UNIT}; systemctl reset-failed {UNIT}", check=False)
        one = self.plug("ONE")
        self.await_hostdevs("a", one)
        self.assertEqual(self.daemon.run_by_hand().wait(), 1)
        by_hand.kill()
        self.assertEqual(by_hand.wait(), 0)
        for command in ("start", "restart"):
            self.hypervisor.run(f"systemctl {command} {UNIT}")
        self.await_hostdevs("a", one, self.plug("TWO"))
        self.assertEqual(self.said("nothing keeps a second daemon"), [])
        self.assertEqual(self.hypervisor.run(f"stat -c '%U %a' {self._FOLDER} {self._FOLDER}/lock").stdout,
                         "whawty-usb-supervisor 700\nwhawty-usb-supervisor 600\n")


class Libvirt(Case):
    _SOCKETS = "libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket"

    def assert_served_after(self, command: str) -> None:
        self.allow_error("^the connection to libvirt is lost: ")
        self.running("a")
        self.daemon.start(config(a=[rule_of("BEFORE"), rule_of("AFTER")]))
        before = self.plug("BEFORE")
        self.await_hostdevs("a", before)
        supervisor = self.daemon.processes()[_SUPERVISOR]
        self.hypervisor.run(command, timeout=60)
        self.guests.await_libvirt()
        self.await_hostdevs("a", before, self.plug("AFTER"))
        self.assertEqual(self.daemon.processes()[_SUPERVISOR], supervisor)
        self.assertTrue(self.said("^the connection to libvirt is lost: "))

    def test_served_after_a_restart_of_libvirtd(self) -> None:
        self.assert_served_after("systemctl restart libvirtd")

    def test_served_after_a_crash_of_libvirtd(self) -> None:
        self.assert_served_after("systemctl kill -s KILL --kill-whom=main libvirtd")

    def test_a_libvirtd_that_is_down_is_waited_for(self) -> None:
        self.running("a")
        self.hypervisor.run(f"systemctl stop {self._SOCKETS} libvirtd", timeout=60)
        try:
            self.daemon.start(config(a=rule_of("ONE")))
            self.assertEqual(self.daemon.unit_property("ActiveState"), "active")
            wait_until(lambda: "waiting for libvirt" in self.daemon.unit_property("StatusText"), PATIENCE, "the status")
            device = self.plug("ONE")
            time.sleep(1)
            self.assertEqual(len(self.said("waiting for libvirt")), 1)
        finally:
            self.hypervisor.run(f"systemctl start {self._SOCKETS} libvirtd", timeout=60)
        self.guests.await_libvirt()
        self.await_hostdevs("a", device)


class Service(Case):
    def test_systemd_is_told_when_it_is_ready_and_how_it_goes(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE"), missing=rule_of("ONE")))
        self.assertEqual((self.daemon.unit_property("ActiveState"), self.daemon.unit_property("Type")), ("active", "notify"))
        self.await_hostdevs("a", self.plug("ONE"))
        wait_until(lambda: re.match("1 of 2 machines running, 1 of 1 USB devices attached",
                                    self.daemon.unit_property("StatusText")), PATIENCE, "the status counts")
        self.unplug("ONE")
        wait_until(lambda: "0 of 0 USB devices attached" in self.daemon.unit_property("StatusText"), PATIENCE, "and again")

    def test_wrong_arguments_are_an_error_with_the_usage(self) -> None:
        for arguments in ("", "one two", "--no-such-option x"):
            with self.subTest(arguments=arguments):
                done = self.hypervisor.run(f"/opt/whawty/sbin/{_SUPERVISOR} {arguments}", check=False)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("usage:", done.stderr)
