# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the log advises when libvirt or QEMU refuses: their real words must be recognised."""

from case import Case
from daemon import config, rule_of
from guests import domain_xml

# The kernel begins to number from the start: the same numbers come again without 127 plugs.
_RENUMBER = ("cd /sys/bus/pci/drivers/xhci_hcd && for c in 0000:*; do echo $c >unbind; echo $c >bind; done; "
             "udevadm settle")
# Seconds. The second failure is logged, and with AppArmor libvirt writes and loads a profile for each.
_TWO_FAILURES = 60.0


class Remedies(Case):
    def setUp(self) -> None:
        super().setUp()
        self.allow_error("^cannot attach .*: trying again$")

    def await_advice(self, libvirts: str, advice: str) -> None:
        """The only line about a failure has libvirt's or QEMU's words, and the advice."""
        self.daemon.await_line(f"^cannot attach .*libvirt says: .*{libvirts}.*: {advice}.*: trying again$",
                               self.start_of_log, _TWO_FAILURES)
        self.assertEqual(len(self.said("^cannot attach")), 1)

    def test_a_guest_without_a_free_port(self) -> None:
        self.running("c", ports=1)
        self.addCleanup(self.stage.drop_guest, "c")
        self.plug("ONE")
        self.daemon.start(config(c=[rule_of("ONE"), rule_of("TWO")]))
        self.await_said("^attached .*ONE")
        two = self.plug("TWO")
        self.await_advice("No free USB ports", "every USB port of the guest is taken")
        self.unplug("ONE")
        self.await_hostdevs("c", two)
        self.await_said("^attached .*TWO.* in [0-9]+ ms, after [0-9]+ attempts in ")

    def test_a_guest_without_a_controller(self) -> None:
        self.running("c", controllers=0)
        self.addCleanup(self.stage.drop_guest, "c")
        self.plug("DEVICE")
        self.daemon.start(config(c=rule_of("DEVICE")))
        self.await_advice("no USB bus support", "the guest has no USB controller")

    def test_a_controller_of_the_wrong_speed(self) -> None:
        """One for high speed alone, without the companions that serve slower devices."""
        xml = domain_xml("odd").replace("model='qemu-xhci' ports='15'", "model='ich9-ehci1'")
        self.hypervisor.write_file("/run/odd.xml", xml)
        self.guests.virsh("define", "/run/odd.xml")
        self.addCleanup(self.guests.undefine, "odd")
        self.guests.start("odd")
        self.addCleanup(self.guests.destroy, "odd")
        self.plug("FULL-SPEED", "usb-serial")
        self.daemon.start(config(odd=rule_of("FULL-SPEED")))
        self.await_advice("failed to open host usb device", "QEMU can open the device, but not use it. Most often it is the speed")

    def test_a_node_that_is_not_qemus(self) -> None:
        """libvirt is told not to give QEMU's user what it opens."""
        self.allow_error("^the connection to libvirt is lost: ")  # libvirtd starts anew, twice
        self.libvirt_with("dynamic_ownership = 0")
        self.await_refusal("Permission denied", "confinement, or rights: ")

    def test_a_cgroup_that_may_not_use_the_device(self) -> None:
        """The slice of all guests, for which libvirt's own rules of each are not asked."""
        self.addCleanup(self.hypervisor.run, "systemctl set-property --runtime machine.slice DevicePolicy=auto")
        self.hypervisor.run("systemctl set-property --runtime machine.slice DevicePolicy=closed")
        self.await_refusal("Operation not permitted", "rights: the guest's cgroup")

    def libvirt_with(self, setting: str) -> None:
        """Its guests go on, and what they get from now on is as it says."""
        restart = "systemctl restart libvirtd && virsh list >/dev/null"
        self.addCleanup(self.hypervisor.run, f"sed -i '$d' /etc/libvirt/qemu.conf && {restart}")
        self.hypervisor.run(f"echo '{setting}' >>/etc/libvirt/qemu.conf && {restart}")

    def await_refusal(self, qemus: str, advice: str) -> None:
        self.running("c")
        self.addCleanup(self.stage.drop_guest, "c")
        self.daemon.start(config(c=rule_of("DEVICE")))
        self.plug("DEVICE")
        self.await_advice(f"/dev/bus/usb/.*{qemus}", advice)

    def test_a_number_that_another_guest_has(self) -> None:
        """Somebody attached a device to a guest that is not configured, and pulled it: its number comes again."""
        self.running("a", "b")
        self.hypervisor.run(_RENUMBER)
        gone = self.plug("GONE")
        self.attach_by_hand("b", gone)
        self.unplug("GONE")
        self.hypervisor.run(_RENUMBER)
        device = self.plug("DEVICE", "usb-serial")
        self.assertEqual((device.bus, device.device), (gone.bus, gone.device))
        self.daemon.start(config(a=rule_of("DEVICE")))
        self.await_said(r"^machine a also wants .*DEVICE.*: it stays with b$")
        self.assertEqual(self.said("^cannot attach"), [], "what libvirt would refuse is not tried")
