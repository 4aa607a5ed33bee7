# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The package with the SELinux module, on a fresh hypervisor that enforces Debian's policy."""

import dataclasses
import pathlib
import shutil
import tempfile
import unittest

from deb import NAME, Debs
from case import Stage
from daemon import UNIT, machine, rule_of
from enforcing import DOMAINS, SEMODULE_SECONDS, denials, let_libvirt_be
from guests import find_usb
from hypervisor import TREE_MOUNT, Hypervisor, wait_until
from systems import Confinement

_SECONDS = 60.0


class Selinux(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        disk = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        debs = [Debs.one(name) for name in (NAME, f"{NAME}-selinux")]
        for deb in debs:
            shutil.copy(deb, disk)
        cls.debs = [f"{TREE_MOUNT}/{deb.name}" for deb in debs]
        system = dataclasses.replace(Debs.system, confinement=Confinement.SELINUX)
        cls.hypervisor = cls.enterClassContext(Hypervisor(disk, system))
        cls.stage = Stage(cls.hypervisor)
        cls.stage.guests.await_libvirt()
        let_libvirt_be(cls.hypervisor)
        cls.stage.run_guest("a")
        cls.stage.plug("RULE")
        find_usb(cls.hypervisor, "RULE")

    def apt(self, *arguments: str) -> None:
        self.hypervisor.run(f"DEBIAN_FRONTEND=noninteractive apt-get --yes {' '.join(arguments)}",
                            SEMODULE_SECONDS)

    def domains(self) -> dict[str, str]:
        """The type of each process of the service."""
        daemon = self.stage.daemon
        processes = wait_until(lambda: len(found := daemon.processes()) == 5 and found, _SECONDS, "five processes")
        return {name.replace(NAME, "supervisor"):
                self.hypervisor.run(f"tr -d '\\0' </proc/{pid}/attr/current").stdout.split(":")[2]
                for name, pid in processes.items()}

    def test_0_where_a_program_gets_another_label_the_installation_fails_and_says_so(self) -> None:
        aliases = "/etc/selinux/default/contexts/files/file_contexts.subs"
        self.hypervisor.write_file(aliases, f"/usr/libexec/{NAME} /usr/libexec\n")
        said = self.hypervisor.run(f"DEBIAN_FRONTEND=noninteractive apt-get --yes install {' '.join(self.debs)} 2>&1",
                                   SEMODULE_SECONDS, check=False)
        self.hypervisor.run(f"rm {aliases}")
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("must have whawty_usb_hotplugd_scanner_exec_t", said.stdout)

    def test_1_installed_the_service_is_in_its_domains_and_works(self) -> None:
        self.assertEqual(self.hypervisor.run("getenforce").stdout, "Enforcing\n")
        self.apt("install", *self.debs)
        self.assertEqual(self.domains(), DOMAINS)
        self.hypervisor.write_file(f"/etc/{NAME}/machines.d/a.yml", machine(rule_of("RULE")))
        self.hypervisor.run(f"systemctl reload {UNIT}")
        wait_until(lambda: self.stage.hostdevs("a"), _SECONDS, "a has a device", 0.2)
        self.assertEqual(denials(self.hypervisor), [])

    def test_2_removed_the_module_is_gone_and_the_service_goes_on(self) -> None:
        self.apt("remove", f"{NAME}-selinux")
        self.assertNotIn("whawty", self.hypervisor.run("semodule --list-modules").stdout)
        self.assertEqual({name for name, domain in self.domains().items() if "whawty" in domain}, set())
        self.assertNotIn("whawty_usb", self.hypervisor.run(f"ls -dZ /usr/sbin/{NAME} /etc/{NAME}").stdout)
        self.assertEqual(len(self.stage.hostdevs("a")), 1)
