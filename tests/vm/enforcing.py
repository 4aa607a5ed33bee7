#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""SELinux in the virtual hypervisor: this tree's module, linked with a release's policy, in the kernel inside.

    enforcing.py TREE WORK    links with the policy of the release that this runs on; the whole tree is then WORK/tree
"""

import pathlib
import re
import shutil
import sys

from hypervisor import TREE_MOUNT, Hypervisor
from probes import DOMAINS, PROBES, STEP_INTO

_ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
_POLICY = "/etc/selinux/default/policy/policy.*"  # its version is that of the release
_CONTEXTS = "/etc/selinux/default/contexts/files/file_contexts.local"
_OWN_FILES = ("/usr/sbin/whawty-libvirt-usb-hotplugd", "/usr/libexec/whawty-libvirt-usb-hotplugd",
              "/etc/whawty-libvirt-usb-hotplugd", "/etc/systemd/system/whawty-libvirt-usb-hotplugd.service")
_PROGRAMS = {"/usr/sbin/whawty-libvirt-usb-hotplugd": "whawty_usb_hotplugd_exec_t",
             **{f"/usr/libexec/whawty-libvirt-usb-hotplugd/{worker}": f"whawty_usb_hotplugd_{worker}_exec_t"
                for worker in ("scanner", "matcher", "actuator", "gate")}}
_RELABEL_VIRSH = "chcon -t bin_t /usr/bin/virsh"  # with its own label it may do less than the harness asks of it
SEMODULE_SECONDS = 400.0  # it builds the whole policy, under emulation
_DENIED = re.compile(r"avc: +denied .*whawty_usb_hotplugd")  # by, or to, one of its types

# Debian's policy refuses things that libvirtd needs to start an emulated guest. That is not what is tested here.
_LET_LIBVIRT_BE = "".join(f"(typepermissive {domain})\n" for domain in ("svirt_t", "virtd_t", "virtlogd_t"))
_LET_LIBVIRT_BE += "(allow domain virtd_t (dbus (send_msg)))\n"  # answers, which it would wait for


def has_policy(tree: pathlib.Path) -> bool:
    return (tree / "selinux" / "module").exists()


def tree_with_policy(tree: pathlib.Path, work: pathlib.Path, cache: pathlib.Path | None = None) -> pathlib.Path:
    """A copy of the installed tree with the policies in its folder selinux.

    module   Debian's with the module
    probe    besides, the harness may step into its domains
    mutated  besides, every domain may do what the probes try
    """
    sys.path.append(str(_ROOT / "tests" / "selinux"))
    import policy  # needs packages that the other tests do without
    modules = policy.build(sorted((_ROOT / "selinux").glob(f"{policy.OWN}.*")), work / "module")
    debian = policy.debian_modules(cache or _ROOT / "build-selinux")
    module, libvirt, probe, mutated = (work / f"{name}.cil" for name in ("module", "libvirt", "probe", "mutated"))
    module.write_bytes(modules[policy.OWN])
    libvirt.write_text(_LET_LIBVIRT_BE)
    probe.write_text("".join(STEP_INTO.format(domain=domain) for domain in DOMAINS.values()))
    mutated.write_text("".join(one.mutation.format(domain=domain) for one in PROBES for domain in DOMAINS.values()))
    copy = work / "tree"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(tree, copy, symlinks=True)
    (copy / "selinux").mkdir()
    policy.link([*debian, module, libvirt], copy / "selinux" / "module")
    policy.link([*debian, module, libvirt, probe], copy / "selinux" / "probe", "--disable-neverallow")
    policy.link([*debian, module, libvirt, probe, mutated], copy / "selinux" / "mutated", "--disable-neverallow")
    contexts = (copy / "selinux" / "module.fc").read_text().splitlines(keepends=True)
    (copy / "selinux" / "contexts").write_text("".join(line for line in contexts if policy.OWN in line))
    return copy


def load(hypervisor: Hypervisor, policy: str = "module") -> None:
    """Load one of the tree's policies, and give the daemon's files their labels."""
    folder = f"{TREE_MOUNT}/selinux"
    hypervisor.run(f"cp {folder}/{policy} $(ls {_POLICY}) && cp {folder}/contexts {_CONTEXTS} && load_policy && "
                   f"restorecon -RF {' '.join(_OWN_FILES)} && {_RELABEL_VIRSH}", timeout=120)
    said = hypervisor.run(f"stat -L -c '%n %C' {' '.join(_PROGRAMS)}").stdout
    wrong = [f"{path} is {label}, not {_PROGRAMS[path]}" for path, label in map(str.split, said.splitlines())
             if label.split(":")[2] != _PROGRAMS[path]]
    if wrong:
        raise AssertionError(f"the daemon would run outside of its domains: {', '.join(wrong)}")


def let_libvirt_be(hypervisor: Hypervisor) -> None:
    """What load() brings besides this tree's module, for a hypervisor that gets the module from a package."""
    hypervisor.write_file("/run/libvirt-of-tests.cil", _LET_LIBVIRT_BE)
    hypervisor.run(f"semodule --install=/run/libvirt-of-tests.cil && {_RELABEL_VIRSH}", SEMODULE_SECONDS)


def denials(hypervisor: Hypervisor) -> list[str]:
    """What the kernel has refused to the daemon's domains, or others with its files, since the boot."""
    return [line for line in hypervisor.audit() if _DENIED.search(line)]


if __name__ == "__main__":
    _tree, _work = map(pathlib.Path, sys.argv[1:])
    tree_with_policy(_tree, _work, _work / "cache")
