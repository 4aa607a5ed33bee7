#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The SELinux module, proven without an SELinux kernel: it is built, linked with Debian's whole policy, and what comes
out is asked who may do what.

usage: policy_test.py CACHE

CACHE is a folder for Debian's policy in the form that the linker takes, and for what is built.
"""

import pathlib
import re
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import policy
from policy import OWN

HERE = pathlib.Path(__file__).resolve().parent
MODULE = HERE.parent.parent / "selinux"
ASSERTS = HERE / "asserts.ini"
ADMINISTRATOR = "whawty_test_administrator"

# How many allow rules each domain may have: with the domain itself as their source, and together with those that it
# has through the module's own attributes. Whoever needs one more raises the number.
MOST_RULES = {"scanner": (28, 39), "matcher": (11, 22), "actuator": (19, 30), "gate": (21, 32)}
ATTRIBUTES = (f"{OWN}_domain", f"{OWN}_worker")

FOLDERS = {
    "/etc/whawty-libvirt-usb-hotplugd": "conf_t",
    **{f"{run}/whawty-libvirt-usb-hotplugd": "runtime_t" for run in ("/run", "/var/run")},
}
FILES = {
    "/etc/whawty-libvirt-usb-hotplugd/config.yml": "conf_t",
    "/etc/whawty-libvirt-usb-hotplugd/machines.d/one.yml": "conf_t",
    **{f"{run}/whawty-libvirt-usb-hotplugd/lock": "lock_t" for run in ("/run", "/var/run")},
    **{f"{prefix}/lib/systemd/system/whawty-libvirt-usb-hotplugd.service": "unit_t"
       for prefix in ("/usr", "/usr/local")},
    **{f"{prefix}/{folder}/whawty-libvirt-usb-hotplugd": "exec_t"
       for prefix in ("/usr", "/usr/local") for folder in ("sbin", "bin")},
    **{f"{prefix}/libexec/whawty-libvirt-usb-hotplugd/{worker}": f"{worker}_exec_t"
       for prefix in ("/usr", "/usr/local") for worker in MOST_RULES},
}

# What policies have in file_contexts.subs_dist: below the first path, labels are looked up as below the second one.
ALIASES = {
    "without aliases": (),
    "where sbin is bin (refpolicy of 2026, Fedora)": ("/sbin /usr/bin", "/usr/sbin /usr/bin", "/var/run /run"),
    "where /run is /var/run (RHEL 9)": ("/run /var/run", "/usr/local/lib /usr/lib"),
}

# Who becomes what by running what, and how what the supervisor creates is labelled.
TRANSITIONS = {
    f"init_t {OWN}_exec_t:process {OWN}_t", f"initrc_t {OWN}_exec_t:process {OWN}_t",
    *(f"{OWN}_t {OWN}_{worker}_exec_t:process {OWN}_{worker}_t" for worker in MOST_RULES),
    f"{OWN}_t tmpfs_t:file {OWN}_tmpfs_t", f"{OWN}_t {OWN}_runtime_t:file {OWN}_lock_t",
}

# What an administrator of the service may do, and some of what not.
ADMINISTRATORS = {
    ("unit_t", "service"): {"disable", "enable", "reload", "start", "status", "stop"},
    ("t", "process"): {"getattr", "sigchld", "sigkill", "signal", "signull", "sigstop"},
    ("matcher_t", "process"): {"getattr", "sigchld", "sigkill", "signal", "signull", "sigstop"},
    ("exec_t", "file"): set(),
    ("matcher_exec_t", "file"): set(),
    ("tmpfs_t", "file"): set(),
}


class Results:
    """A line a test, and how many there were."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def check(self, name: str, problem: str | None) -> None:
        if problem:
            self.failed += 1
            print(f"FAILED {name}: {problem}", flush=True)
        else:
            self.passed += 1
            print(f"       {name}", flush=True)

    def attempt(self, name: str, work: Callable[[], str | None]) -> None:
        try:
            self.check(name, work())
        except policy.Failed as failed:
            self.check(name, str(failed))


def entries(file: pathlib.Path) -> list[tuple[list[str], str]]:
    """Of mutations.cil or removals.cil: the asserts that are named above a rule, and the rule."""
    return [(names.split(), rule) for names, rule in re.findall(r"^; (.+)\n(\(allow .*\))$", file.read_text(), re.MULTILINE)]


def triple(rule: str) -> str:
    source, target, tclass = re.match(r"\(allow (\S+) (\S+) \((\S+) ", rule).groups()  # type: ignore[union-attr]
    return f"{source} {source if target == 'self' else target} {tclass}"


def without_removed(module: str) -> str:
    for _, rule in entries(HERE / "removals.cil"):
        if rule + "\n" not in module:  # more than once is possible: interfaces overlap
            raise policy.Failed(f"the module has no rule {rule}")
        module = module.replace(rule + "\n", "")
    return module


def expected_of_mutations() -> dict[str, set[str]]:
    expected: dict[str, set[str]] = {}
    for names, rule in entries(HERE / "mutations.cil"):
        for name in names:
            expected.setdefault(name, set()).add(triple(rule))
    return expected


def check_mutations(results: Results, rules: policy.Rules) -> None:
    """One policy has all mutations at once: an assert judges each rule alone, so each must find its own and no other."""
    added = expected_of_mutations()
    removed = {name for names, _ in entries(HERE / "removals.cil") for name in names}
    for name, found in rules.broken(ASSERTS).items():
        missing = {one for one in found if one.startswith("no ")}
        results.check(f"bites: {name}", None if found - missing == added.get(name, set()) != set() else
                      f"it must find {sorted(added.get(name, ['nothing can break it']))}, and finds {sorted(found)}")
        if name in removed or missing:
            results.check(f"misses: {name}", None if (len(missing) == 1) == (name in removed) else
                          f"of what it expects, it misses {sorted(missing)}")


def check_asserts(results: Results, rules: policy.Rules) -> None:
    for name, found in rules.broken(ASSERTS).items():
        results.check(name, "\n  ".join(sorted(found)) if found else None)


def check_counts(results: Results, rules: policy.Rules) -> None:
    shared = sum(len(rules.of(attribute)) for attribute in ATTRIBUTES)
    print(f"       rules of the supervisor: {len(rules.of(f'{OWN}_t'))}")
    for worker, most in MOST_RULES.items():
        direct = len(rules.of(f"{OWN}_{worker}_t"))
        name = f"rules of the {worker}: {direct} direct, {direct + shared} with the module's attributes"
        results.check(name, f"more than {most}" if direct > most[0] or direct + shared > most[1] else None)


def check_administrator(results: Results, rules: policy.Rules) -> None:
    for (target, tclass), expected in ADMINISTRATORS.items():
        may = rules.permissions(f"{ADMINISTRATOR}_t", f"{OWN}_{target}", tclass)
        results.check(f"an administrator and {target}:{tclass}", None if may == expected else f"may {sorted(may)}")
    may = rules.permissions(f"{ADMINISTRATOR}_t", f"{OWN}_conf_t", "file")
    results.check("an administrator changes the configuration", None if {"write", "create", "unlink"} < may else str(may))


def wrong_labels(linked: pathlib.Path, contexts: pathlib.Path) -> str | None:
    policy.run("setfiles", "-c", linked, contexts)  # as semodule does; it refuses two labels of one path
    wrong = []
    for kind, labels in (("dir", FOLDERS), ("file", FILES)):
        said = policy.run("matchpathcon", "-N", "-f", contexts, "-m", kind, *labels)
        found = dict(line.split("\t") for line in said.splitlines())
        wrong += [f"{path} is {found.get(path)}" for path, expected in labels.items()
                  if f":{OWN}_{expected}:" not in found.get(path, "")]
    return "\n  ".join(wrong)


def check_labels(results: Results, linked: pathlib.Path) -> None:
    """With the aliases of each policy. libselinux looks for a list of them beside the labels."""
    contexts = linked.with_suffix(".policy.fc")
    own = (policy.CONTEXTS / "file_contexts.subs_dist").read_text()
    for name, aliases in {"with this machine's aliases": own.splitlines(), **ALIASES}.items():
        pathlib.Path(f"{contexts}.subs_dist").write_text("".join(f"{alias}\n" for alias in aliases))
        results.attempt(f"labels {name}", lambda: wrong_labels(linked, contexts))


def refuses_a_broken_neverallow(modules: list[pathlib.Path], work: pathlib.Path) -> str | None:
    broken = work / "broken.cil"
    broken.write_text(f"(allow {OWN}_scanner_t shadow_t (file (read)))\n")
    try:
        policy.link([*modules, broken], work / "broken.policy")
    except policy.Failed as failed:
        return None if "neverallow" in str(failed) else str(failed)
    return "a worker may read shadow_t, which Debian's policy forbids"


def semodule_takes_it(work: pathlib.Path) -> str | None:
    """As an administrator loads it, but into a copy of this machine's policy store."""
    root = work / "root"
    for folder in ("etc/selinux", "var/lib/selinux"):
        shutil.copytree(f"/{folder}", root / folder, symlinks=True)
    store = ("semodule", "-p", root, "-s", "default")
    policy.run(*store, "-n", "-i", work / f"{OWN}.pp")
    return None if OWN in policy.run(*store, "-l").split() else "it is not in the store"


def lint() -> None:
    policy.run("selint", "-c", MODULE / "selint.conf", "-r", "-F", "--context=/usr/share/selinux/devel/include", MODULE)


def check_policies(results: Results, cache: pathlib.Path) -> None:
    started = time.monotonic()
    work = cache / "work"
    modules = policy.build([*MODULE.glob(f"{OWN}.*"), HERE / f"{ADMINISTRATOR}.te"], work)
    debian = policy.debian_modules(cache)
    (work / "intact.cil").write_bytes(modules[OWN])
    (work / "mutated.cil").write_text(without_removed(modules[OWN].decode()))
    (work / "administrator.cil").write_bytes(modules[ADMINISTRATOR])
    intact, mutated = work / "intact.policy", work / "mutated.policy"
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(policy.link, [*debian, work / "intact.cil"], intact),
                pool.submit(policy.link, [*debian, work / "mutated.cil", work / "administrator.cil",
                                          HERE / "mutations.cil"], mutated, "--disable-neverallow")]
        taken = pool.submit(semodule_takes_it, work)
        refused = pool.submit(refuses_a_broken_neverallow, [*debian, work / "intact.cil"], work)
        for job in jobs:
            job.result()
        print(f"       linked with {len(debian)} modules of Debian's in {time.monotonic() - started:.0f} s")
        results.attempt("semodule takes it", taken.result)
        results.attempt("a broken neverallow of Debian's is refused", refused.result)
    rules = policy.Rules(intact)
    check_asserts(results, rules)
    results.check("transitions", None if rules.transitions == TRANSITIONS else
                  f"differ in {sorted(rules.transitions ^ TRANSITIONS)}")
    check_counts(results, rules)
    check_labels(results, intact)
    rules = policy.Rules(mutated)
    check_mutations(results, rules)
    check_administrator(results, rules)


def main() -> int:
    results = Results()
    results.attempt("selint", lint)
    try:
        check_policies(results, pathlib.Path(sys.argv[1]).absolute())
    except policy.Failed as failed:
        results.check("building and linking", str(failed))
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
