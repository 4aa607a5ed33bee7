# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the hypervisor itself uses stays with it, as long as it does and no rule allows otherwise."""

from case import PATIENCE, Case
from daemon import config, rule_of
from guests import UsbDevice
from hypervisor import wait_until


def allowing(serial: str) -> str:
    return rule_of(serial).removesuffix("}") + ", allow-host-device: true}"


class HostCase(Case):
    def inside(self, command: str, undo: str) -> None:
        """Do something in the hypervisor, and something else when the test ends."""
        self.addCleanup(self.hypervisor.run, undo, check=False)
        self.hypervisor.run(command)

    def await_part(self, device: UsbDevice, pattern: str) -> str:
        """The name of what a driver of the hypervisor has made of the device, or of that again."""
        return wait_until(lambda: self.hypervisor.run(f"basename $(ls -d /sys/bus/usb/devices/{device.name}/*:*/{pattern})",
                                                      check=False).stdout.strip(), PATIENCE, f"it has {pattern}")

    def await_disk(self, device: UsbDevice) -> str:
        node = "/dev/" + self.await_part(device, "host*/target*/*/block/*")
        self.hypervisor.run(f"udevadm settle; test -b {node}")
        return node

    def take_back(self, guest: str) -> None:
        """Daemon off, and the device with the hypervisor's driver again."""
        self.daemon.stop()
        self.stage.take_all(guest)


class Disks(HostCase):
    def assert_freed_by(self, command: str, device: UsbDevice, pattern: str, since: int) -> None:
        """The device stays, which is said once; the command frees it, which is noticed without waiting for an hour."""
        self.daemon.await_line(rf"{device.serial} .* stays with the host: \w+ {pattern}; machine a wants it by a\[0\]", since)
        self.assert_hostdevs("a")
        self.hypervisor.run(command)
        self.await_hostdevs("a", device)
        self.assertEqual(len(self.daemon.find("stays with the host", since)), 1)
        self.take_back("a")

    def test_a_mounted_file_system_stays_wherever_and_whenever_it_was_mounted(self) -> None:
        """The unit hides what is below /home from the daemon. FAT shows itself nowhere else than in lists of mounts."""
        self.running("a")
        device = self.plug("STICK", "usb-storage")
        self.hypervisor.run(f"mkfs.vfat -I {self.await_disk(device)}")
        for folder in ("/mnt/stick", "/home/stick"):
            for before_the_start in (True, False):
                with self.subTest(folder=folder, before_the_start=before_the_start):
                    since = self.daemon.mark()
                    mount = f"mkdir -p {folder} && mount {self.await_disk(device)} {folder}"
                    if before_the_start:
                        self.inside(mount, f"umount {folder}")
                        self.daemon.start(config(a=rule_of("STICK")))
                    else:
                        self.daemon.start(config(a=rule_of("NONE")))
                        self.inside(mount, f"umount {folder}")
                        self.daemon.reload(config(a=rule_of("STICK")))
                    self.assert_freed_by(f"umount {folder}", device, "is mounted", since)

    def test_the_scanner_sees_mounts_that_the_unit_hides(self) -> None:
        """The list that it was given is that of the first process."""
        self.inside("mkdir -p /home/x && mount -t tmpfs early /home/x", "umount /home/x")
        self.daemon.start(config(a=rule_of("NONE")))
        self.inside("mkdir -p /home/y && mount -t tmpfs late /home/y", "umount /home/y")
        processes = self.daemon.processes()
        own = self.hypervisor.run(f"cat /proc/{processes['scanner']}/mountinfo").stdout
        self.assertNotIn(" /home/x ", own)
        opened = self.hypervisor.run(f"readlink /proc/{processes['scanner']}/task/*/fd/4", check=False).stdout
        self.assertIn("/proc/1/mountinfo", opened.splitlines())

    def test_swap(self) -> None:
        self.running("a")
        device = self.plug("SWAP", "usb-storage")
        node = self.await_disk(device)
        self.inside(f"mkswap -q {node} && swapon {node}", f"swapoff {node}")
        self.daemon.start(config(a=rule_of("SWAP")))
        self.assert_freed_by(f"swapoff {node}", device, "is swap", self.start_of_log)

    def test_a_device_mapper_on_it(self) -> None:
        self.running("a")
        device = self.plug("MAPPED", "usb-storage")
        node = self.await_disk(device)
        self.inside(f"modprobe dm-mod && dmsetup create whole --table '0 1000 linear {node} 0'", "dmsetup remove whole")
        self.daemon.start(config(a=rule_of("MAPPED")))
        self.assert_freed_by("dmsetup remove whole", device, "is a part of another block device", self.start_of_log)

    def test_a_rule_may_allow_it(self) -> None:
        self.running("a", "b")
        device = self.plug("STICK", "usb-storage")
        node = self.await_disk(device)
        self.inside(f"mkfs.ext4 -q {node} && mount {node} /mnt", "umount -l /mnt")
        self.daemon.start(config(a=rule_of("STICK"), b=allowing("STICK")))
        self.await_hostdevs("b", device)
        self.assert_hostdevs("a")


class Interfaces(HostCase):
    _NETWORKD = "/run/systemd/network"

    def networks(self, **files: str) -> None:
        script = f"mkdir -p {self._NETWORKD}; rm -f {self._NETWORKD}/*; "
        for name, text in files.items():
            script += f"printf '{text}' >{self._NETWORKD}/{name.replace('_', '.')}; "
        self.inside(script + "systemctl restart systemd-networkd",
                    f"rm -rf {self._NETWORKD}; systemctl stop systemd-networkd.socket systemd-networkd; "
                    "for each in br0; do [ ! -e /sys/class/net/$each ] || networkctl delete $each; done")

    def test_a_default_route_keeps_an_interface_also_through_a_bridge(self) -> None:
        self.running("a")
        device = self.plug("NIC", "usb-net")
        name = self.await_part(device, "net/*")
        route = "[Network]\\nConfigureWithoutCarrier=yes\\nAddress=192.0.2.2/24\\nGateway=192.0.2.1\\n"
        self.networks(direct_network=f"[Match]\\nName={name}\\n{route}")
        wait_until(lambda: self.routes_by(name), PATIENCE, "the route is there")
        self.daemon.start(config(a=rule_of("NIC")))
        self.await_said(rf"NIC .* stays with the host: {name} carries a default route; machine a wants it by a\[0\]")
        self.assert_hostdevs("a")
        self.networks(bridge_netdev="[NetDev]\\nName=br0\\nKind=bridge\\n",
                      port_network=f"[Match]\\nName={name}\\n[Network]\\nBridge=br0\\n",
                      upper_network=f"[Match]\\nName=br0\\n{route}")
        wait_until(lambda: self.routes_by("br0") and not self.routes_by(name), PATIENCE, "the route is the bridge's")
        self.assert_stays(2.5, "a")
        self.hypervisor.run("systemctl stop systemd-networkd.socket systemd-networkd; networkctl delete br0")
        self.await_hostdevs("a", device)

    def routes_by(self, interface: str) -> bool:
        return self.hypervisor.run(f"grep -qP '^{interface}\\t00000000\\t' /proc/net/route", check=False).returncode == 0


class Keyboards(HostCase):
    def test_the_only_keyboard_of_a_local_console_stays(self) -> None:
        """The hypervisor has a PS/2 keyboard and no screen; a frame buffer is made of a folder."""
        self.running("a", "b")
        folder = "/sys/class/graphics"
        self.inside(f"mount -t tmpfs none {folder} && mkdir {folder}/fb0 && "
                    f"{self.hypervisor.label_like('/sys/class')} {folder} {folder}/fb0", f"umount {folder}")
        self.inside("echo -n serio0 >/sys/bus/serio/drivers/atkbd/unbind", "echo -n serio0 >/sys/bus/serio/drivers/atkbd/bind")
        device = self.plug("KEYS", "usb-kbd")
        self.await_part(device, "*/input/input*")
        self.daemon.start(config(a=rule_of("KEYS")))
        self.await_said(r"KEYS .* stays with the host: input\d+ is the only keyboard of the local console; machine a")
        self.assert_hostdevs("a")
        self.hypervisor.run("echo -n serio0 >/sys/bus/serio/drivers/atkbd/bind")
        self.await_hostdevs("a", device)
        self.take_back("a")
        self.hypervisor.run("echo -n serio0 >/sys/bus/serio/drivers/atkbd/unbind")
        self.await_part(device, "*/input/input*")
        self.daemon.start(config(a=rule_of("KEYS"), b=allowing("KEYS")))
        self.await_hostdevs("b", device)
