# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What an auditor finds in the journal, and a daemon that only observes."""

import json

from case import PATIENCE, Case
from daemon import UNIT, config, rule_of
from hypervisor import wait_until

_ATTACHED = "653ef1ebe1714db7a5d45f03816f5885"
_RECEIPT = "6e50f4c539934eb2a8c521fc0a726f48"
_LOADED = "efca70cb5b8e4301bf287334bb5e0fd9"


class Evidence(Case):
    def records(self, event: str) -> list[dict[str, str]]:
        entries = self.hypervisor.run(
            f"journalctl --quiet --no-pager --all --unit={UNIT} --output=json MESSAGE_ID={event}", check=False).stdout
        return [json.loads(entry) for entry in entries.splitlines()]

    def record(self, event: str, device: str) -> dict[str, str]:
        """The last of that device, once it is there."""
        def found() -> list[dict[str, str]]:
            return [one for one in self.records(event) if one.get("USB_DEVICE") == device]
        return wait_until(found, PATIENCE, f"a record {event} of {device}")[-1]  # of receipts, the answer

    def test_matcher_and_gate_record_an_attach_with_one_number(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        device = self.plug("ONE")
        self.await_hostdevs("a", device)
        name = f"{device.bus:03}/{device.device:03}"
        attached, receipt = self.record(_ATTACHED, name), self.record(_RECEIPT, name)
        for field in ("USB_ID", "GUEST_UUID", "REQUEST_ID"):
            self.assertEqual(attached[field], receipt[field], field)
        self.assertEqual((attached["GUEST_NAME"], attached["RULE"], attached["USB_SERIAL"]), ("a", "a[0]", "ONE"))
        self.assertEqual(attached["POLICY_SHA256"], self.records(_LOADED)[-1]["POLICY_SHA256"])
        users = self.hypervisor.run("id -u whawty-usb-matcher; id -u whawty-usb-gate").stdout.split()
        self.assertEqual([attached["_UID"], receipt["_UID"]], users)
        alias = self.guests.virsh("dumpxml", "a").stdout
        self.assertIn(f"-{attached['REQUEST_ID']}'/>", alias)
        self.assertEqual(len(self.said("^attached ")), 1, "it is not there twice")

    def test_a_daemon_that_observes_changes_nothing(self) -> None:
        self.running("a")
        self.daemon.configure(config("200ms", a=rule_of("ONE")))
        by_hand = self.daemon.run_by_hand(options="--observe")
        self.addCleanup(by_hand.kill)
        self.plug("ONE")
        wait_until(lambda: "WOULD attach " in by_hand.output(), PATIENCE, "it says what it would do")
        self.assert_stays(3, "a")
        self.assertEqual(by_hand.output().count("WOULD "), 1)
