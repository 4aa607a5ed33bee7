# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""libvirt guests inside the virtual hypervisor, and what its USB devices look like from there."""

import dataclasses
import shlex
import xml.etree.ElementTree as ET

from architectures import AMD64, Architecture
from hypervisor import Completed, Hypervisor, wait_until

LIBVIRT_SECONDS = 60  # from power-on to a libvirtd that answers, at the worst
_VIRSH_SECONDS = 60  # a libvirt call on a stuck guest takes 30 by itself
_START_SECONDS = 180  # with AppArmor, libvirt loads a profile many times for one start: 22 s on an idle machine


@dataclasses.dataclass(frozen=True)
class UsbDevice:
    """A USB device of the hypervisor, as sysfs has it. Root hubs and hubs are among them."""
    name: str  # its directory in /sys/bus/usb/devices, such as 1-3.6
    bus: int
    device: int
    vendor: int
    product: int
    serial: str


@dataclasses.dataclass(frozen=True)
class Hostdev:
    """A <hostdev type='usb'> of a guest's live XML; what it does not say is None."""
    bus: int | None
    device: int | None
    vendor: int | None
    product: int | None
    alias: str | None = None


def host_usb(hypervisor: Hypervisor) -> list[UsbDevice]:
    """All USB devices of the hypervisor, ordered by bus and device number."""
    listing = hypervisor.run(r"""
        cd /sys/bus/usb/devices
        for name in *; do
            [ -e "$name/idVendor" ] || continue
            { read -r bus <"$name/busnum"; read -r device <"$name/devnum"
              read -r vendor <"$name/idVendor"; read -r product <"$name/idProduct"; } 2>/dev/null || continue
            serial=
            [ ! -e "$name/serial" ] || IFS= read -r serial <"$name/serial"
            printf '%s\0' "$name" "$bus" "$device" "$vendor" "$product" "$serial"
        done""").stdout
    fields = iter(listing.split("\0")[:-1])
    return sorted((UsbDevice(name, int(bus), int(device), int(vendor, 16), int(product, 16), serial)
                   for name, bus, device, vendor, product, serial in zip(*[fields] * 6)),
                  key=lambda found: (found.bus, found.device))


def find_usb(hypervisor: Hypervisor, serial: str, timeout: float = 30.0) -> UsbDevice:
    """The device with that serial, waited for: plugging returns before the kernel inside has found it."""
    return wait_until(lambda: next((found for found in host_usb(hypervisor) if found.serial == serial), None),
                      timeout, f"a USB device with serial {serial!r}", pause=0.2)


def hostdev_xml(device: UsbDevice | Hostdev, alias: str | None = None, address: bool = True, ids: bool = True) -> str:
    """A <hostdev> for `virsh attach-device`: by address, by vendor and product, or by all four numbers."""
    source = ""
    if ids:
        source += f"<vendor id='0x{device.vendor:04x}'/><product id='0x{device.product:04x}'/>"
    if address:
        source += f"<address bus='{device.bus}' device='{device.device}'/>"
    name = f"<alias name='{alias}'/>" if alias else ""
    return f"<hostdev mode='subsystem' type='usb' managed='yes'><source>{source}</source>{name}</hostdev>"


def domain_xml(name: str, controllers: int = 1, ports: int = 15, architecture: Architecture = AMD64) -> str:
    """The smallest guest with USB: 32 MiB, no disk, no network, no display.

    `controllers`: how many xHCI controllers, 0 for a guest without USB; `ports`: of each, 1 to 15.
    """
    usb = "".join(f"<controller type='usb' index='{index}' model='qemu-xhci' ports='{ports}'/>"
                  for index in range(controllers)) or "<controller type='usb' model='none'/>"
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>32</memory>
  <vcpu>1</vcpu>
  <os><type arch='{architecture.processor}' machine='{architecture.guest_machines[0]}'>hvm</type></os>
  {architecture.guest_features}
  <devices>
    <emulator>/usr/bin/{architecture.qemu}</emulator>
    {usb}
    <memballoon model='none'/>
  </devices>
</domain>
"""


class Guests:
    """The hypervisor's libvirt, used by virsh."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor

    def virsh(self, *arguments: str, timeout: float = _VIRSH_SECONDS, check: bool = True) -> Completed:
        """Run one virsh command; failures raise CommandFailed with libvirt's message unless `check` is False."""
        return self._hypervisor.run(f"virsh --quiet {shlex.join(arguments)}", timeout, check)

    def await_libvirt(self, timeout: float = LIBVIRT_SECONDS) -> None:
        """Wait until libvirtd answers and has looked at its QEMU, which delays the first use otherwise."""
        machine = self._hypervisor.system.architecture.guest_machines[0]
        wait_until(lambda: self.virsh("domcapabilities", "--virttype", "qemu", "--machine", machine,
                                      check=False).returncode == 0, timeout, "libvirtd answers")

    def define(self, name: str, controllers: int = 1, ports: int = 15, hostdevs: tuple[str, ...] = ()) -> None:
        """Define a guest as domain_xml describes it, with these <hostdev> texts in its persistent definition."""
        xml = domain_xml(name, controllers, ports, self._hypervisor.system.architecture)
        xml = xml.replace("</devices>", f"{''.join(hostdevs)}</devices>")
        path = f"/run/{name}.xml"
        self._hypervisor.write_file(path, xml)
        self.virsh("define", path)

    def start(self, name: str, paused: bool = True) -> None:
        """Start a defined guest. Paused, it takes and gives devices all the same, and no processor time."""
        self.virsh("start", name, *(["--paused"] if paused else []), timeout=_START_SECONDS)

    def destroy(self, name: str) -> None:
        """Switch a guest off, hard."""
        self.virsh("destroy", name)

    def undefine(self, name: str) -> None:
        self.virsh("undefine", name)

    def remove_all(self) -> None:
        """Switch off and undefine every guest."""
        for name in self.virsh("list", "--all", "--name").stdout.split():
            self.virsh("destroy", name, check=False)
            self.virsh("undefine", name, check=False)

    def attach(self, name: str, xml: str, check: bool = True) -> Completed:
        """Attach a <hostdev> to the running guest."""
        self._hypervisor.write_file("/run/attach.xml", xml)
        return self.virsh("attach-device", name, "/run/attach.xml", "--live", check=check)

    def detach(self, name: str, xml: str, check: bool = True) -> Completed:
        """Detach a <hostdev> from the running guest; done when the device is gone from the live XML."""
        self._hypervisor.write_file("/run/detach.xml", xml)
        return self.virsh("detach-device", name, "/run/detach.xml", "--live", check=check)

    def hostdevs(self, name: str) -> list[Hostdev]:
        """The USB devices that the live XML of a running guest names, in its order."""
        return usb_hostdevs(self.virsh("dumpxml", name).stdout)


def usb_hostdevs(xml: str) -> list[Hostdev]:
    """The USB devices that a domain's XML names, in its order."""
    return [_hostdev(element) for element in ET.fromstring(xml).iterfind("devices/hostdev[@type='usb']")]


def _hostdev(element: ET.Element) -> Hostdev:
    def number(path: str, attribute: str) -> int | None:
        found = element.find(path)
        text = None if found is None else found.get(attribute)
        return None if text is None else int(text, 0)

    alias = element.find("alias")
    return Hostdev(number("source/address", "bus"), number("source/address", "device"),
                   number("source/vendor", "id"), number("source/product", "id"),
                   None if alias is None else alias.get("name"))
