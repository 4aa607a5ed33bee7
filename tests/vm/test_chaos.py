# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Everything that can go wrong does, and a moment later every guest has what the rules say. See chaos.py, kills.py."""

import os
import statistics

import chaos
import kills
from case import Case
from hypervisor import wait_until

_SEED = int(os.environ.get("CHAOS_SEED", "20261122"))  # the same in every run; chaos.py takes others
_BESIDE = ("A1", "A2", "B1")  # plugged for others than the stuck guest
_STALL_SECONDS = 20.0  # of which the daemon waits eight


class Chaos(Case):
    def setUp(self) -> None:
        super().setUp()
        # The third: while its socket is overrun, the scanner is stopped, on a slow host for longer than a ping may take.
        for pattern in ("^the connection to libvirt is lost: ", "^the workers ended",
                        "^the workers have not answered for 10 s$", "^cannot (at|de)tach "):
            self.allow_error(pattern)
        self.chaos = chaos.Chaos(self.stage, _SEED)
        self.addCleanup(self.chaos.clear)
        print(f"CHAOS_SEED={_SEED}", flush=True)
        self.chaos.measure_reference()

    def test_every_guest_has_what_the_rules_say_after_each_of_many_faults(self) -> None:
        self.chaos.run(chaos.FAULTS)
        print(self.chaos.report(), flush=True)
        self.assertEqual(self.chaos.failures, [])
        self.chaos.assert_log_tells_it(self.start_of_log)

    def test_a_process_that_is_killed_at_any_moment_is_replaced_soon(self) -> None:
        virsh = kills.measure_virsh(self.chaos)
        figures = kills.kill_all(self.chaos, kills.COUNT)
        print(figures, flush=True)
        kills.assert_soon(figures, virsh)

    def test_a_guest_that_is_stuck_delays_no_other_and_is_served_when_it_answers(self) -> None:
        run = self.chaos
        run.unplug_all()
        usual = [run.plain_plug(serial) for serial in _BESIDE]
        run.unplug_all()
        pid = run.world.sh("cat /run/libvirt/qemu/c.pid")
        run.world.sh(f"kill -STOP {pid}")
        self.addCleanup(run.world.sh, f"kill -CONT {pid}")
        run.world.plug("C1")
        beside = [run.plug_beside("c", serial) for serial in _BESIDE]
        wait_until(lambda: self.said("^machine c does not answer"), _STALL_SECONDS, "it is said", pause=1)
        beside.append(run.plug_beside("c", "B2"))
        print(f"plain plugs {_seconds(usual)}, beside a stuck guest {_seconds(beside)}", flush=True)
        self.assertLess(statistics.median(beside), 2 * statistics.median(usual))
        self.assertEqual(self.said("^attached .* to c "), [], "it has not answered")
        run.settle("it answers again", lambda: run.world.sh(f"kill -CONT {pid}"))
        self.assertEqual(len(self.said("^machine c does not answer")), 1)


def _seconds(taken: list[float]) -> str:
    return " ".join(f"{one:.2f}" for one in taken) + " s"
