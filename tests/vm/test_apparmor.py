# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""libvirt writes and loads a profile for each attach and detach: what becomes of ten at a time, and of refusals."""

import os
import time

from case import Case
from daemon import config, rule_of
from hypervisor import wait_until

_SECONDS = 120.0  # for ten attaches of two seconds each, on an emulated host, or one that fails
_LOCAL = "/etc/apparmor.d/local/abstractions/libvirt-qemu"  # what each guest's profile includes
_DOCK = [f"DOCK{i}" for i in range(10)]


class AppArmor(Case):
    def include(self, rule: str) -> None:
        """From now on each profile that libvirt writes has it. `deny` is refused without a word to the kernel's log."""
        old = self.hypervisor.run(f"mkdir -p {os.path.dirname(_LOCAL)}; cat {_LOCAL} 2>/dev/null", check=False).stdout
        self.addCleanup(self.hypervisor.write_file, _LOCAL, old)
        self.hypervisor.write_file(_LOCAL, rule + "\n")

    def await_refusal(self, pattern: str) -> None:
        """libvirt has written and loaded the profile by then, and again without the device."""
        self.daemon.await_line(f"^cannot attach .*{pattern}", self.start_of_log, _SECONDS)

    def await_count(self, count: int) -> float:
        since = time.monotonic()
        wait_until(lambda: len(self.holdings("a")) == count or None, _SECONDS, f"a has {count} devices")
        return time.monotonic() - since

    def test_a_dock_comes_and_goes_and_nothing_is_complained_of(self) -> None:
        self.running("a")
        self.daemon.start(config("5s", a=[rule_of(name) for name in _DOCK]))
        self.plug_tablets(*_DOCK)
        print(f"ten attached in {self.await_count(len(_DOCK)):.1f} s", flush=True)
        for name in _DOCK:
            self.unplug(name)
        print(f"ten detached in {self.await_count(0):.1f} s", flush=True)
        lines = [line for line in self.said("") if line.process in ("matcher", "actuator", "gate", "scanner")]
        self.assertEqual([line for line in lines if line.priority <= 4], [])

    def test_a_device_that_leaves_does_not_wait_for_the_rest_of_a_dock(self) -> None:
        self.running("a")
        self.daemon.start(config("1h", a=[rule_of(name) for name in _DOCK]))
        self.plug_tablets(*_DOCK)
        first = self.await_said(r"^attached .* serial=DOCK[0-9] ")
        name = first.text.split("serial=")[1].split()[0]
        self.unplug(name)
        self.await_said("^detached .* it left the host")
        self.assertLessEqual(len(self.said("^attached ")), 4)
        self.await_count(len(_DOCK) - 1)

    def test_a_profile_that_denies_the_device_is_told_from_other_causes(self) -> None:
        self.allow_error("^cannot attach .*: trying again$")
        self.running("a")
        self.include("deny /dev/bus/usb/** rw,")
        self.daemon.start(config(a=rule_of("DEVICE")))
        device = self.plug("DEVICE")
        self.await_refusal("libvirt says: .*/dev/bus/usb/.*Permission denied.*: confinement, or rights: ")
        self.include("")
        self.await_hostdevs("a", device)

    def test_a_profile_that_cannot_be_loaded_is_told_from_other_causes(self) -> None:
        self.allow_error("^cannot attach .*: trying again$")
        self.running("a")
        self.include("this is no rule")
        self.daemon.start(config(a=rule_of("DEVICE")))
        device = self.plug("DEVICE")
        self.await_refusal("cannot update AppArmor profile .*: confinement: the guest's AppArmor profile")
        self.include("")
        self.await_hostdevs("a", device)
