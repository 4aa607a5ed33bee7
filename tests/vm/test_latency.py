# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The daemon costs little beside the libvirt call that does the work."""

import latency
from case import Case

_AT_MOST = 1.5  # times what libvirt alone takes, or
_AT_MOST_BUSY = 1.25  # times what it takes while udev and the kernel are at work on the device, as with the daemon
_MEASUREMENTS = 4  # a busy moment of the machine under one of them is no verdict


class Latency(Case):
    def test_a_plug_is_served_in_little_more_than_libvirt_alone_needs(self) -> None:
        self.running("a", "b")
        for _ in range(_MEASUREMENTS):
            figures = latency.measure(self.stage)
            print(figures, flush=True)
            if figures.ratio <= _AT_MOST or figures.ratio_to_busy <= _AT_MOST_BUSY:
                return
        self.fail(str(figures))
