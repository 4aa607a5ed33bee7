# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The tests that ./test runs on the other releases of Debian, too: each thing that the daemon does, once.

It is kernel, libraries and libvirt that differ between releases.
"""

import unittest

MAIN_PATH = (
    "test_plug.Plug.test_a_plugged_device_is_attached_and_a_pulled_one_is_detached",
    "test_plug.Plug.test_a_guest_gets_its_device_when_it_starts_and_until_then_nobody_complains",
    "test_rules.Rules.test_variables_select_by_value_or_by_unanchored_pattern",
    "test_reload.Reload.test_a_reload_acts_at_once",
    "test_reload.Reload.test_a_bad_reload_keeps_the_configuration_and_says_where_the_mistake_is",
    "test_processes.Death.test_a_worker_that_is_killed_is_replaced_and_the_next_plug_served_in_time",
    "test_processes.Death.test_a_supervisor_that_is_killed_leaves_no_orphan_and_systemd_starts_it_again",
    "test_processes.Libvirt.test_served_after_a_restart_of_libvirtd",
    "test_processes.Service.test_systemd_is_told_when_it_is_ready_and_how_it_goes",
    "test_proc.Proc.test_proc_shows_what_the_document_says",
    "test_evidence.Evidence.test_matcher_and_gate_record_an_attach_with_one_number",
    "test_debug.Debug.test_devices_variables_tags_and_guests_are_listed_as_udevadm_and_virsh_show_them",
    "test_whole_run.WholeRun.test_no_process_ever_made_a_system_call_that_its_profile_forbids",
    "test_whole_run.WholeRun.test_apparmor_refused_nothing",
)


def of(tests: list[unittest.TestCase]) -> list[unittest.TestCase]:
    """Those of the main path."""
    chosen = [test for test in tests if test.id() in MAIN_PATH]
    missing = set(MAIN_PATH) - {test.id() for test in chosen}
    if missing:
        raise SystemExit(f"no test has the name {', '.join(sorted(missing))}")
    return chosen
