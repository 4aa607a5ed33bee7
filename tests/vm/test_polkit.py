# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The polkit rules: with a libvirtd that checks each call, they are all that the gate needs, and no more."""

from case import PATIENCE, Case
from daemon import config, rule_of
from guests import domain_xml, hostdev_xml
from hypervisor import TREE_MOUNT, wait_until

_USER = "whawty-usb-gate"
_RULES = f"{TREE_MOUNT}/share/doc/whawty-libvirt-usb-hotplugd/polkit/whawty-libvirt-usb-hotplugd.rules"
_FOLDER = "/etc/polkit-1/rules.d"
_INSTALLED, _NEW = f"{_FOLDER}/whawty-libvirt-usb-hotplugd.rules", "/etc/polkit-1/new.rules"
_LIBVIRTD, _SAVED = "/etc/libvirt/libvirtd.conf", "/run/libvirtd.conf.saved"
_DENIED = "error: access denied: "
_NO_DRIVER = "error: this function is not supported by the connection driver: "  # Debian 13 has none for interfaces
_HOST_FILE = "/run/host-file"

# Commands of virsh; "off" is a guest that does not run.
_READING = ("list --all", "dumpxml a", "dumpxml off", "domstate a")
_REFUSED = (
    "destroy a", "shutdown a", "reboot a", "reset a", "suspend a", "resume a", "start off", "undefine off",
    "define /run/polkit-new.xml", "create /run/polkit-new.xml", "domrename off other",
    "save a /run/polkit-save", "managedsave a", "dump a /run/polkit-core", "snapshot-create a",
    "screenshot a /run/polkit-ppm", "send-key a KEY_A", "set-user-password a root secret", "dumpxml a --security-info",
    "attach-device a /run/polkit-usb.xml --config", "attach-device off /run/polkit-usb.xml --config",
    "setmem a 20000 --config",
    "secret-list", "pool-list --all", "net-list --all", "nodedev-list", "nwfilter-list", "iface-list", "capabilities",
)
# libvirt asks for the same permission as for a USB device.
_LIKE_AN_ATTACH = (
    "attach-device a /run/polkit-disk.xml --live", "detach-device a /run/polkit-disk.xml --live",
    "autostart off", "autostart off --disable", "desc a --live --title polkit",
    "qemu-monitor-command a --hmp info name",
)


class Polkit(Case):
    @classmethod
    def setUpClass(cls) -> None:
        cls.addClassCleanup(cls.guests.await_libvirt)
        cls.addClassCleanup(cls.hypervisor.run, f"mv {_SAVED} {_LIBVIRTD}; gpasswd -a {_USER} libvirt; "
                                                "systemctl restart libvirtd", timeout=60)
        cls.hypervisor.run(f"cp -a {_LIBVIRTD} {_SAVED}; echo 'access_drivers = [ \"polkit\" ]' >>{_LIBVIRTD}; "
                           f"gpasswd -d {_USER} libvirt; systemctl restart libvirtd", timeout=60)
        cls.guests.await_libvirt()

    def install_rules(self, edit: str = "") -> None:
        """`edit`: a script for sed."""
        self.addCleanup(self.hypervisor.run, f"rm -f {_INSTALLED}")
        self.hypervisor.run(f"sed '{edit}' {_RULES} >{_NEW} && {self.hypervisor.label_like(_FOLDER)} {_NEW} && "
                            f"mv {_NEW} {_INSTALLED}")

    def await_rules(self) -> None:
        """polkitd takes a moment to see them."""
        wait_until(lambda: self.as_gate("list")["list"].find("error") < 0, PATIENCE, "polkitd knows the rules")

    def as_gate(self, *commands: str) -> dict[str, str]:
        """What virsh answers to each of these commands of the gate's user, one connection for all."""
        output = self.hypervisor.run(
            f"HOME=/tmp setpriv --reuid={_USER} --regid={_USER} --clear-groups "
            "virsh --quiet --connect qemu:///system 2>&1",
            timeout=90, check=False, stdin="".join(f"{line}\n" for line in commands).encode()).stdout
        answers = dict(part.partition("\n")[::2] for part in output.split("virsh # ") if part.strip())
        return answers if answers.keys() >= set(commands) else {line: f"error: {output}" for line in commands}

    def prepare_files(self) -> None:
        self.guests.define("off")
        self.addCleanup(self.guests.undefine, "off")
        self.addCleanup(self.hypervisor.run, f"rm -f {_HOST_FILE} /run/polkit-*")
        self.hypervisor.write_file("/run/polkit-new.xml", domain_xml("new"))
        self.hypervisor.write_file("/run/polkit-usb.xml", hostdev_xml(self.plug("SPARE")))
        self.hypervisor.write_file(_HOST_FILE, bytes(512))
        self.hypervisor.write_file("/run/polkit-disk.xml",
                                   f"<disk type='file'><driver name='qemu' type='raw'/><source file='{_HOST_FILE}'/>"
                                   "<target dev='sdz' bus='usb'/><readonly/></disk>")

    def test_without_the_rules_it_waits_and_with_them_it_serves(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        waiting = self.await_said("^waiting for libvirt at ")
        self.assertIn("to authenticate action 'org.libvirt.unix.manage'", waiting.text)
        self.assertIn("see `id whawty-usb-gate`", waiting.text)
        device = self.plug("ONE")
        self.assertEqual(self.said("^connected to "), [])
        self.install_rules()
        self.await_hostdevs("a", device)
        self.unplug("ONE")
        self.await_hostdevs("a")
        self.assertEqual(len(self.said("^waiting for libvirt at ")), 1)

    def test_the_rules_allow_reading_and_live_changes_and_nothing_else(self) -> None:
        self.running("a")
        self.prepare_files()
        self.install_rules()
        self.await_rules()
        answers = self.as_gate(*_READING, *_REFUSED, *_LIKE_AN_ATTACH)
        permitted = {line: answers[line] for line in _REFUSED
                     if not any(refusal in answers[line] for refusal in (_DENIED, _NO_DRIVER))}
        self.assertEqual(permitted, {})
        self.assertEqual([answers[line] for line in _READING + _LIKE_AN_ATTACH if "error:" in answers[line]], [])
        self.assertRegex(answers["list --all"], r"\ba\b.*paused[^|]*\boff\b.*shut off")
        self.assertIn("<domain type='qemu'", answers["dumpxml off"])

    def test_membership_in_the_group_permits_no_more(self) -> None:
        self.running("a")
        self.install_rules()
        self.addCleanup(self.hypervisor.run, f"gpasswd -d {_USER} libvirt")
        self.hypervisor.run(f"gpasswd -a {_USER} libvirt")
        self.await_rules()
        self.assertIn(_DENIED, self.as_gate("destroy a")["destroy a"])

    def test_the_rules_can_name_the_only_domains_that_may_be_changed(self) -> None:
        self.allow_error(r"^cannot attach .* to b .*: libvirt says: access denied")
        self.running("a", "b")
        self.install_rules('s/domains = null/domains = ["a"]/')
        self.daemon.start(config(a=rule_of("ONE"), b=rule_of("TWO")))
        refused, device = self.plug_tablets("TWO", "ONE")
        self.await_hostdevs("a", device)
        self.assertIn(f"{refused.bus:03}/{refused.device:03} ", self.await_said("^cannot attach ").text)
        self.assert_hostdevs("b")
