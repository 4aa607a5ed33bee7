# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The list of the only domains that may be changed."""

from case import PATIENCE, Case
from daemon import config, rule_of
from hypervisor import wait_until

_LIST = "/etc/whawty-libvirt-usb-hotplugd/domains"
_REFUSED = "to d by d[0]: the domain is not in the list of those that may be changed"


class AllowedDomains(Case):
    def test_a_domain_counts_by_the_name_that_it_has_now(self) -> None:
        self.running("c")
        self.addCleanup(self.stage.drop_guest, "d")
        self.hypervisor.write_file(_LIST, "c\n")
        self.daemon.configure(config(c=rule_of("ONE"), d=rule_of("TWO")))
        by_hand = self.daemon.run_by_hand(options=f"--domains {_LIST}")
        self.addCleanup(by_hand.kill)
        self.await_hostdevs("c", self.plug("ONE"))
        self.stage.stop_guest("c")
        self.guests.virsh("domrename", "c", "d")
        self.stage.start_guest("d")
        self.plug("TWO")
        wait_until(lambda: _REFUSED in by_hand.output(), PATIENCE, "it is refused")
        self.assert_hostdevs("d")
