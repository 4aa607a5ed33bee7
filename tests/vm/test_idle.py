# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""A host on which nothing happens pays next to nothing."""

import idle
from case import Case

_SECONDS = 20
# By the interval, a second: system calls, and switches of context. Twice what docs/performance.md says.
_AT_MOST = {"5s": (60.0, 16.0), "1h": (12.0, 6.0)}


class Idle(Case):
    def test_an_idle_host_makes_few_system_calls(self) -> None:
        self.running(*idle.GUESTS)
        for interval, (calls, switches) in _AT_MOST.items():
            costs = idle.measure(self.stage, interval, _SECONDS)
            print(costs, flush=True)
            self.assertLessEqual(costs.together.calls, calls)
            self.assertLessEqual(costs.together.switches, switches)
