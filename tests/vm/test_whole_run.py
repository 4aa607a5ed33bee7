# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What must be true of all that happened before; by its name this file is the last."""

import apparmor
from case import Case, seccomp_kills


class WholeRun(Case):
    def test_no_process_ever_made_a_system_call_that_its_profile_forbids(self) -> None:
        self.assertEqual(seccomp_kills(self.hypervisor), [])

    def test_apparmor_refused_nothing(self) -> None:
        self.assertEqual(apparmor.denials(self.hypervisor), [])
