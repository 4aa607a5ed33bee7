# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Building the module and linking it with Debian's policy, and asking the result. No SELinux kernel is needed."""

import bz2
import hashlib
import io
import pathlib
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import setools
import setools.checker

DEBIAN = pathlib.Path("/usr/share/selinux/default")
CONTEXTS = pathlib.Path("/etc/selinux/default/contexts/files")
DEVEL_MAKEFILE = "/usr/share/selinux/devel/Makefile"
PP_TO_CIL = "/usr/libexec/selinux/hll/pp"
POLICY_VERSION = "33"  # the newest that the kernels of Debian 12 and 13 take
OWN = "whawty_usb_hotplugd"


class Failed(Exception):
    """A tool did not do what it was asked; the text is what it said."""


def run(*command: object, cwd: pathlib.Path | None = None) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failed(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}")
    return done.stdout


def to_cil(package: bytes) -> bytes:
    return subprocess.run([PP_TO_CIL], input=package, stdout=subprocess.PIPE, check=True).stdout


def debian_modules(cache: pathlib.Path) -> list[pathlib.Path]:
    """Debian's whole policy, as CIL; converted once per version of it."""
    packages = sorted(DEBIAN.glob("*.pp.bz2"))
    version = hashlib.sha256("".join(f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns}\n" for p in packages).encode())
    folder = cache / f"debian-{version.hexdigest()[:12]}"
    if not folder.is_dir():
        building = cache / "converting"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)

        def convert(package: pathlib.Path) -> None:
            (building / package.name.replace(".pp.bz2", ".cil")).write_bytes(to_cil(bz2.decompress(package.read_bytes())))

        with ThreadPoolExecutor() as pool:
            list(pool.map(convert, packages))
        building.rename(folder)
    return sorted(folder.glob("*.cil"))


def build(sources: list[pathlib.Path], work: pathlib.Path) -> dict[str, bytes]:
    """The CIL of each module whose .te is among the sources, built with the Makefile that an administrator uses."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for source in sources:
        shutil.copy(source, work)
    names = [source.stem for source in sources if source.suffix == ".te"]
    said = run("make", "-f", DEVEL_MAKEFILE, *(f"{name}.pp" for name in names), cwd=work)
    if re.search(r"warning|error", said, re.IGNORECASE):
        raise Failed(said)
    return {name: to_cil((work / f"{name}.pp").read_bytes()) for name in names}


def link(modules: list[pathlib.Path], policy: pathlib.Path, *options: str) -> None:
    """Link modules into a binary policy, with its file contexts beside it. It fails where a neverallow is broken.

    Roles may be declared more than once, as semodule allows too.
    """
    run("secilc", "--mls=true", "--multiple-decls", f"--policyvers={POLICY_VERSION}", *options, f"--output={policy}",
        f"--filecontext={policy}.fc", *modules)


class Rules:
    """The allow rules of a policy that concern this module's types, for setools to take for all of the policy's.

    A policy has a hundred thousand others, and an assert of sechecker goes through all that it is given.
    """

    def __init__(self, policy: pathlib.Path) -> None:
        self._policy = setools.SELinuxPolicy(str(policy))
        concerned = {str(one) for one in self._policy.types() if str(one).startswith(OWN)}
        concerned |= {str(attribute) for attribute in self._policy.typeattributes()
                      if any(str(one) in concerned for one in attribute.expand())}
        self._rules = []
        self.transitions: set[str] = set()  # as `source target:class type`
        for rule in self._policy.terules():
            if rule.ruletype == setools.TERuletype.allow:
                if str(rule.source) in concerned or str(rule.target) in concerned:
                    self._rules.append(rule)
            elif rule.ruletype == setools.TERuletype.type_transition and str(rule.default) in concerned:
                self.transitions.add(f"{rule.source} {rule.target}:{rule.tclass} {rule.default}")

    def __getattr__(self, name: str) -> object:
        return getattr(self._policy, name)

    def terules(self) -> object:
        return iter(self._rules)

    def of(self, source: str) -> list[str]:
        """The rules with this type or attribute itself as their source."""
        return sorted(str(rule) for rule in self._rules if str(rule.source) == source)

    def permissions(self, source: str, target: str, tclass: str) -> set[str]:
        """What a type may do to another one, attributes and all; conditional rules count."""
        query = setools.TERuleQuery(self, source=source, target=target, tclass=[tclass])
        return {permission for rule in query.results() for permission in rule.perms}

    def broken(self, asserts: pathlib.Path) -> dict[str, set[str]]:
        """For each assert of a configuration of sechecker: what is wrong, as `source target class` or a missing type."""
        out = io.StringIO()
        setools.checker.PolicyChecker(self, str(asserts)).run(out)
        found: dict[str, set[str]] = {}
        name = ""
        for line in out.getvalue().splitlines():
            if line.startswith("Check name: "):
                name = line.removeprefix("Check name: ")
                found[name] = set()
            elif rule := re.match(r" +\* allow (\S+) (\S+):(\S+) ", line):
                found[name].add(" ".join(rule.groups()))
            elif missing := re.match(r' +\* Expected rule with (?:source|target) "(\S+)" not found', line):
                found[name].add(f"no {missing[1]}")
            elif re.match(r" +\* ", line):
                raise Failed(f"sechecker says what is not understood: {line}")
        return found
