# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""With SELinux enforcing: each process in its domain, nothing refused that it needs, all else refused.

For suite.py --enforcing only. That nothing is refused is checked after each test there, of this file or another.
"""

import re
import signal

import enforcing
from case import Case
from daemon import CONFIG, config, matcher_of

_SUPERVISOR = "whawty-libvirt-usb-hotplugd"


class Domains(Case):
    def domain_of(self, pid: int) -> str:
        return self.hypervisor.run(f"cat /proc/{pid}/attr/current").stdout.rstrip("\0\n")

    def test_each_process_runs_in_its_domain(self) -> None:
        self.assertEqual(self.hypervisor.run("getenforce").stdout, "Enforcing\n")
        self.running("a")
        self.daemon.start(config(a=matcher_of("ONE")))
        self.await_hostdevs("a", self.plug("ONE"))
        found = {name: self.domain_of(pid) for name, pid in self.daemon.processes().items()}
        self.assertEqual(found, {
            (_SUPERVISOR if name == "supervisor" else name): f"system_u:system_r:{domain}:s0"
            for name, domain in enforcing.DOMAINS.items()})
        self.unplug("ONE")
        self.await_hostdevs("a")
        self.daemon.reload(config(a=matcher_of("TWO")))
        self.await_hostdevs("a", self.plug("TWO"))


class Probes(Case):
    """Commands that step into a domain, as root: what then stops them is SELinux alone."""

    def _assert_no_denial(self) -> None:
        """Commands are refused a lot here, the daemon's own processes still nothing."""
        own = [line for line in enforcing.denials(self.hypervisor)[self._denials:]
               if re.search(r'comm="(scanner|matcher|actuator|whawty)', line)]
        self.assertEqual(own, [])

    def expect(self, command: str, *may: str) -> None:
        """Only in these of the domains the command succeeds."""
        for process, domain in enforcing.DOMAINS.items():
            with self.subTest(process=process, command=command):
                done = self.hypervisor.run(f"runcon -t {domain} {command}", check=False)
                self.assertEqual(done.returncode == 0, process in may, done)

    def test_nobody_steps_into_a_domain(self) -> None:
        self.expect("true")

    def test_what_each_domain_may_do(self) -> None:
        enforcing.load(self.hypervisor, "probe")
        self.addCleanup(enforcing.load, self.hypervisor)
        self.daemon.start(config(a=matcher_of("ONE")))
        self.await_said("connected to")
        self.expect("true", *enforcing.DOMAINS)  # so that the others fail for no other reason
        self.expect(f"cat {CONFIG}", "supervisor")
        self.expect("cat /etc/debian_version", "supervisor", "actuator")
        self.expect("cat /sys/bus/usb/devices/usb1/idVendor", "scanner", "actuator")
        self.expect("cat /run/udev/data/c189:0", "scanner")
        self.expect("cat /proc/swaps", "scanner")
        self.expect("cat /etc/libvirt/libvirtd.conf")
        self.expect("cat /dev/bus/usb/001/001")
        self.expect("touch /run/whawty-probe")
        self.expect("touch /etc/whawty-libvirt-usb-hotplugd/probe")
        self.expect("nice true")
        pid = self.daemon.processes()
        self.expect(f"kill -{int(signal.SIGCONT)} {pid['matcher']}")
        self.expect(f"cat /proc/{pid['matcher']}/status", "matcher")
        self.expect(f"cat /proc/{pid[_SUPERVISOR]}/status", "supervisor")
        self.assertEqual(self.daemon.processes(), pid)
