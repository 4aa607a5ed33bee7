# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The processors of the virtual hypervisor and of its guests: where they differ."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Architecture:
    """`guest_machines`: for -machine of QEMU, as libvirt names them in the hypervisor; the first is that of the guests.

    `bus`: properties of a device that is plugged into the running hypervisor's PCI.
    """
    name: str  # as Debian has it
    processor: str  # as the kernel, QEMU and libvirt have it
    packages: tuple[str, ...]  # with its kernel and the QEMU of its guests
    console: str
    guest_machines: tuple[str, ...]
    guest_features: str
    bus: dict[str, str]

    def __str__(self) -> str:
        return self.name

    @property
    def qemu(self) -> str:
        return f"qemu-system-{self.processor}"


AMD64 = Architecture("amd64", "x86_64", ("linux-image-amd64", "qemu-system-x86"), "ttyS0", ("q35", "pc"),
                     "<features><acpi/></features>", {})
# Its guests have no firmware, which ACPI would need. PCI Express takes new devices in sockets only: machine.py has one.
ARM64 = Architecture("arm64", "aarch64", ("linux-image-arm64", "qemu-system-arm"), "ttyAMA0", ("virt",), "",
                     {"bus": "socket"})
ARCHITECTURES = {architecture.name: architecture for architecture in (AMD64, ARM64)}
