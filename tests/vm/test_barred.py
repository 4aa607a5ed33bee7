# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What a matcher that was taken over, or believes a scanner that was, can have handed over.

No hub, and nothing that the host has not authorized. libvirt, and QEMU's host side, would take both.
"""

import uuid

import ask_actuator
from ask_actuator import DONE, OTHER_DEVICE
from case import Case
from guests import UsbDevice, host_usb

_DEVICES = "/sys/bus/usb/devices"
_BARRED = b"the device is a hub, or the host has not authorized it"


class Barred(Case):
    def setUp(self) -> None:
        super().setUp()
        self.running("a")
        self.guest = uuid.UUID(self.guests.virsh("domuuid", "a").stdout.strip())

    def write(self, path: str, value: object) -> None:
        self.hypervisor.run(f"echo {value} >{path}")

    def assert_attached(self, device: UsbDevice) -> None:
        """With the right numbers and digest, as all that is asked for here: nothing else can be why one is refused."""
        request = ask_actuator.attach(self.guest, device, ask_actuator.digest_of(self.hypervisor, device))
        self.assertEqual([answer.outcome for answer in ask_actuator.ask(self.hypervisor, request)], [DONE])
        self.assert_hostdevs("a", device)
        taken = ask_actuator.ask(self.hypervisor, ask_actuator.detach(self.guest, device))
        self.assertEqual([answer.outcome for answer in taken], [DONE])
        self.await_hostdevs("a")

    def assert_barred(self, *devices: UsbDevice) -> None:
        requests = [ask_actuator.attach(self.guest, device, ask_actuator.digest_of(self.hypervisor, device))
                    for device in devices]
        answers = ask_actuator.ask(self.hypervisor, *requests)
        self.assertEqual([answer.outcome for answer in answers], [OTHER_DEVICE] * len(devices))
        for answer in answers:
            self.assertIn(_BARRED, answer.datagram)
        self.assert_hostdevs("a")

    def test_no_hub_with_all_that_is_behind_it(self) -> None:
        hub = self.plug("HUB", "usb-hub", port="9")
        behind = self.plug("BEHIND", port="9.1")
        self.assert_attached(behind)
        self.assert_barred(hub, *(device for device in host_usb(self.hypervisor) if device.name == "usb1"))
        self.assertIn(behind, host_usb(self.hypervisor))

    def test_no_hub_that_has_no_ports_since_it_has_no_driver(self) -> None:
        hub = self.plug("HUB", "usb-hub")
        self.hypervisor.run(f"echo {hub.name}:1.0 >/sys/bus/usb/drivers/hub/unbind")
        self.assertEqual(self.hypervisor.run(f"cat {_DEVICES}/{hub.name}/maxchild").stdout, "0\n")
        self.assert_barred(hub)

    def test_nothing_that_the_host_has_not_authorized(self) -> None:
        device = self.plug("ONE")
        self.write(f"{_DEVICES}/{device.name}/authorized", 0)
        self.assert_barred(device)
        self.write(f"{_DEVICES}/{device.name}/authorized", 1)
        self.assert_attached(device)
