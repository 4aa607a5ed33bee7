# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The operator's tool on a real host: from an unknown device to a rule that works."""

import json
from typing import Any

from case import Case
from daemon import CONFIG, config
from hypervisor import TREE_MOUNT

_TOOL = f"{TREE_MOUNT}/bin/whawty-libvirt-usb-hotplugctl"


class Tool(Case):
    def ask(self, command: str) -> str:
        return self.hypervisor.run(f"{_TOOL} {command}").stdout

    def device(self, name: str) -> dict[str, Any]:
        """As somebody without any rights sees it."""
        (found,) = json.loads(self.hypervisor.run(f"runuser -u nobody -- {_TOOL} devices {name} --json").stdout)["devices"]
        return found

    def test_from_an_unknown_device_to_a_rule_that_works(self) -> None:
        self.running("a")
        self.daemon.start(config())
        stranger = self.plug("STRANGER")
        self.await_said(f"^{stranger.bus:03}/{stranger.device:03} .* was plugged, and no rule wants it")
        self.assertIn("STRANGER", self.ask("devices"))
        self.assertIsNone(self.device(stranger.name)["guest"])

        rule = f"{CONFIG.rsplit('/', 1)[0]}/machines.d/a.yml"
        self.hypervisor.run(f"{_TOOL} suggest {stranger.name} a >{rule}")
        self.assertIn("1 machine, 0 warnings", self.ask(f"check {CONFIG}"))
        self.assertIn("gets it, by a[0]", self.ask(f"explain {CONFIG} {stranger.name}"))
        self.assertRegex(self.ask(f"plan {CONFIG}"), "^attach .* serial=STRANGER .* to a by a")

        self.daemon.reload()
        self.await_hostdevs("a", stranger)
        self.assertEqual(self.device(stranger.name)["guest"], "a")
        self.assertEqual(self.ask(f"plan {CONFIG}"), "nothing to attach or detach\n")

    def test_a_record_says_elsewhere_what_the_host_says(self) -> None:
        self.running("a")
        self.plug("STRANGER")
        self.daemon.configure(config(a="{vendor-id: 0x0627}"))
        self.hypervisor.run(f"{_TOOL} record /run/host.record")
        for command in ("devices --verbose", f"explain {CONFIG}", f"plan {CONFIG}"):
            self.assertEqual(self.ask(f"{command} --from /run/host.record"), self.ask(command), command)
        self.assertNotIn("STRANGER", self.ask("record - --redact"))
