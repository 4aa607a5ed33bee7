# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What is tried inside each domain of the SELinux module, and the rules that would let every domain do it."""

import dataclasses

from daemon import CONFIG

DOMAINS = {"supervisor": "whawty_usb_hotplugd_t",
           **{worker: f"whawty_usb_hotplugd_{worker}_t" for worker in ("scanner", "matcher", "actuator", "gate")}}

# What lets the harness step into a domain with a command: a way in, and a place for what the command says. It opens
# nothing else, so what a command then can do is what the domain may do.
STEP_INTO = """
(allow initrc_t {domain} (process (transition)))
(allow {domain} initrc_t (fd (use)))
(allow {domain} initrc_t (fifo_file (getattr ioctl read write)))
(allow {domain} bin_t (file (entrypoint execute getattr map open read)))
(allow {domain} bin_t (dir (getattr search)))
(allow {domain} bin_t (lnk_file (read)))
"""


@dataclasses.dataclass(frozen=True)
class Probe:
    """A command, with {supervisor} and {matcher} for their pids, that succeeds in the domains of `may` and in no other.

    `mutation`: CIL, with {domain}. Where the policy has it for every domain, the command succeeds in all of them: what
    stopped it before was a rule that was not there, and the probe notices such a rule.
    """
    command: str
    may: tuple[str, ...]
    mutation: str


def _allow(type_or_self: str, *permissions: str) -> str:
    return "".join(f"(allow {{domain}} {type_or_self} ({one}))\n" for one in permissions)


_READ = "file (getattr open read)"
_SEARCH = "dir (search)"
_CREATE = ("dir (add_name search write)", "file (create getattr open write)")

# As root: what stops a command is SELinux alone.
PROBES = (
    Probe(f"cat {CONFIG}", ("supervisor",), _allow("whawty_usb_hotplugd_conf_t", _SEARCH, _READ)),
    Probe("cat /etc/debian_version", ("supervisor", "actuator"), _allow("etc_t", _READ)),
    Probe("cat /sys/bus/usb/devices/usb1/idVendor", ("scanner", "actuator", "gate"),
          _allow("sysfs_t", _SEARCH, "lnk_file (read)", _READ)),
    Probe("cat /run/udev/data/c189:0", ("scanner",), _allow("udev_runtime_t", _SEARCH, _READ)),
    Probe("cat /proc/swaps", ("scanner",), _allow("proc_t", _SEARCH, _READ)),
    Probe("cat /etc/libvirt/libvirtd.conf", (), _allow("virt_etc_t", _SEARCH, _READ)),
    Probe("cat /dev/bus/usb/001/001", (),
          _allow("device_t", _SEARCH) + _allow("usb_device_t", "chr_file (getattr open read)")),
    Probe("touch /run/whawty-probe", (), _allow("var_run_t", *_CREATE)),
    Probe("touch /etc/whawty-libvirt-usb-hotplugd/probe", (), _allow("whawty_usb_hotplugd_conf_t", *_CREATE)),
    Probe("nice true", (), _allow("self", "process (setsched)") + _allow("bin_t", "file (execute_no_trans)")),
    Probe("kill -CONT {matcher}", (),
          _allow("whawty_usb_hotplugd_matcher_t", "process (signal)") + _allow("self", "capability (kill)")),
    Probe("cat /proc/{matcher}/status", ("matcher",), _allow("whawty_usb_hotplugd_matcher_t", _SEARCH, _READ)),
    Probe("cat /proc/{supervisor}/status", ("supervisor",), _allow("whawty_usb_hotplugd_t", _SEARCH, _READ)),
)
