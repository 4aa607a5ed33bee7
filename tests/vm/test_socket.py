# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""libvirt at another socket than its usual one: where virtqemud has it. Here libvirtd answers there."""

import re

from case import Case
from daemon import UNIT, config, rule_of

_SOCKET = "/run/libvirt/virtqemud-sock"
_DROP_IN = f"/etc/systemd/system/{UNIT}.d"


class Socket(Case):
    def test_the_socket_of_a_daemon_for_qemu_alone(self) -> None:
        """Named, or found: it comes before libvirtd's."""
        self.running("a")
        self.hypervisor.run(f"ln /run/libvirt/libvirt-sock {_SOCKET} && mkdir -p {_DROP_IN}")
        self.addCleanup(self.hypervisor.run, f"rm -rf {_SOCKET} {_DROP_IN} && systemctl daemon-reload")
        for index, uri in enumerate((f"qemu+unix:///system?socket={_SOCKET}", f"qemu:///system?socket={_SOCKET}",
                                     "qemu:///system")):
            with self.subTest(uri):
                self.hypervisor.write_file(f"{_DROP_IN}/options.conf", f"[Service]\nEnvironment=OPTIONS=--connect={uri}\n")
                self.hypervisor.run(f"systemctl daemon-reload && systemctl stop {UNIT}")
                self.daemon.start(config(a=[rule_of(f"D{i}") for i in range(3)]))
                self.plug(f"D{index}")
                self.await_said(f"^attached .* serial=D{index} ")
                self.assertEqual(len(self.said(f"^connected to {re.escape(uri)}$")), 1)
