# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""AppArmor in the virtual hypervisor, with Debian's own profiles: that it is on, and what it has refused."""

import re

from hypervisor import Hypervisor

_DENIED = re.compile(r'apparmor="DENIED"')


def assert_confines(hypervisor: Hypervisor) -> None:
    """libvirtd, its driver for QEMU and each running guest: else a run would say nothing of AppArmor."""
    qemu = hypervisor.system.architecture.qemu
    confined = hypervisor.run(f"""
        for pid in $(pidof libvirtd {qemu}); do
            echo "$(basename "$(readlink /proc/$pid/exe)") $(cat /proc/$pid/attr/apparmor/current)"
        done
        virsh capabilities | grep -o '<model>apparmor</model>'""").stdout.splitlines()
    kinds = {re.sub("libvirt-[0-9a-f-]{36}", "libvirt-UUID", line) for line in confined}
    expected = {"libvirtd libvirtd (enforce)", f"{qemu} libvirt-UUID (enforce)", "<model>apparmor</model>"}
    if kinds != expected:
        raise AssertionError(f"AppArmor does not confine what it should: {confined}")


def denials(hypervisor: Hypervisor) -> list[str]:
    """What has been refused since the boot, to whomever."""
    return [line for line in hypervisor.audit() if _DENIED.search(line)]
