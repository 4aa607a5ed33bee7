# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""With SELinux enforcing: each process in its domain, nothing refused that it needs, all else refused.

For suite.py --enforcing only. That nothing is refused is checked after each test there, of this file or another.
"""

import re

import enforcing
from case import Case
from daemon import config, rule_of
from probes import DOMAINS, PROBES

_SUPERVISOR = "whawty-libvirt-usb-hotplugd"


class Domains(Case):
    def domain_of(self, pid: int) -> str:
        return self.hypervisor.run(f"cat /proc/{pid}/attr/current").stdout.rstrip("\0\n")

    def test_each_process_runs_in_its_domain(self) -> None:
        self.assertEqual(self.hypervisor.run("getenforce").stdout, "Enforcing\n")
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        self.await_hostdevs("a", self.plug("ONE"))
        found = {name: self.domain_of(pid) for name, pid in self.daemon.processes().items()}
        self.assertEqual(found, {
            (_SUPERVISOR if name == "supervisor" else name): f"system_u:system_r:{domain}:s0"
            for name, domain in DOMAINS.items()})
        self.unplug("ONE")
        self.await_hostdevs("a")
        self.daemon.reload(config(a=rule_of("TWO")))
        self.await_hostdevs("a", self.plug("TWO"))


class Probes(Case):
    """Commands that step into a domain, as root: what then stops them is SELinux alone."""

    def _assert_no_denial(self) -> None:
        """Commands are refused a lot here, the daemon's own processes still nothing."""
        own = [line for line in enforcing.denials(self.hypervisor)[self._denials:]
               if re.search(r'comm="(scanner|matcher|actuator|gate|whawty)', line)]
        self.assertEqual(own, [])

    def succeeding(self, command: str) -> set[str]:
        """The processes in whose domains the command succeeds."""
        return {process for process, domain in DOMAINS.items()
                if self.hypervisor.run(f"runcon -t {domain} {command}", check=False).returncode == 0}

    def start(self, policy: str) -> dict[str, int]:
        """The daemon under that policy, for this test; the pids of its processes."""
        enforcing.load(self.hypervisor, policy)
        self.addCleanup(enforcing.load, self.hypervisor)
        self.daemon.start(config(a=rule_of("ONE")))
        self.await_said("connected to")
        found = self.daemon.processes()
        return {**found, "supervisor": found[_SUPERVISOR]}

    def test_nobody_steps_into_a_domain(self) -> None:
        self.assertEqual(self.succeeding("true"), set())

    def test_what_each_domain_may_do(self) -> None:
        pids = self.start("probe")
        self.assertEqual(self.succeeding("true"), set(DOMAINS))  # so that the others fail for no other reason
        for probe in PROBES:
            with self.subTest(probe.command):
                self.assertEqual(self.succeeding(probe.command.format(**pids)), set(probe.may))
        self.assertEqual(self.daemon.processes()[_SUPERVISOR], pids["supervisor"])

    def test_each_probe_notices_a_domain_that_may_do_more(self) -> None:
        pids = self.start("mutated")
        for probe in PROBES:
            with self.subTest(probe.command):
                self.assertEqual(self.succeeding(probe.command.format(**pids)), set(DOMAINS))
