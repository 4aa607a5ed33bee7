# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The daemon costs little beside the libvirt call that does the work."""

import latency
from case import Case

_AT_MOST = 1.5  # times what libvirt alone takes
_MEASUREMENTS = 4  # a busy moment of the machine under one of them is no verdict


class Latency(Case):
    def test_a_plug_is_served_in_little_more_than_libvirt_alone_needs(self) -> None:
        self.running("a", "b")
        for _ in range(_MEASUREMENTS):
            figures = latency.measure(self.stage, kinds=("daemon", "floor"))
            print(figures, flush=True)
            if figures.ratio <= _AT_MOST:
                break
        self.assertLessEqual(figures.ratio, _AT_MOST, str(figures))
