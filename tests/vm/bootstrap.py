# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Folders with a release of Debian, made by mmdebstrap and kept for the next time.

Debian packages come from wherever this machine's own apt gets Debian from; another release is looked for there, too.
Needs root, for the owners of the files.
"""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

import releases
from processes import die_with_parent
from progress import exclusive, say, step
from releases import Release

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_CACHE = "whawty-libvirt-usb-hotplugd"
_KEPT_DAYS = 7  # since the last use: another branch or version of the project may want it


class BuildFailed(Exception):
    """It could not be built; the text says at which step and why."""


def digest(*recipe: object) -> str:
    """Twelve hexadecimal digits that name this version of a recipe."""
    return hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]


def kept(name: str, build: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """The directory of that name, built now unless it is there already: it is complete or absent.

    The name is that of a kind and a digest, with a hyphen between; one of each kind is built at a time.
    """
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", _CACHE)
    finished = cache / name
    if not finished.is_dir():
        if os.geteuid() != 0:
            raise BuildFailed(f"building {name} needs root: its files belong to many users")
        cache.mkdir(parents=True, exist_ok=True)
        kind = name.rpartition("-")[0]
        with exclusive(cache / f"{kind}.lock"):
            if not finished.is_dir():
                _remove_unused(cache, f"building-{kind}-")
                _build(finished, f"building-{kind}-", build)
    with contextlib.suppress(PermissionError):
        os.utime(finished)
    return finished


def _remove_unused(cache: pathlib.Path, unfinished: str) -> None:
    """Delete what nobody has used for long, and what interrupted builds of this kind left."""
    for folder in filter(pathlib.Path.is_dir, cache.iterdir()):
        unused = time.time() - folder.stat().st_mtime > _KEPT_DAYS * 24 * 3600
        if unused or folder.name.startswith(unfinished):
            shutil.rmtree(folder, ignore_errors=True)  # another kind's build may delete it, too


def _build(finished: pathlib.Path, unfinished: str, build: Callable[[pathlib.Path], None]) -> None:
    started = time.monotonic()
    building = pathlib.Path(tempfile.mkdtemp(prefix=unfinished, dir=finished.parent))
    try:
        build(building)
        building.chmod(0o755)
        building.rename(finished)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    say(f"built in {time.monotonic() - started:.0f} s: {finished}")


def install(release: Release, packages: Sequence[str], tree: pathlib.Path, options: Sequence[str] = ()) -> None:
    """Run mmdebstrap with these further options into the new folder `tree`; a log beside it has all that it says."""
    with _settings_of_apt(release) as (sources, settings):
        log = tree.parent / "log"
        command = [*private_mounts(), "mmdebstrap", "--verbose", "--mode=root", "--format=directory",
                   "--variant=minbase", f"--include={','.join(packages)}", f"--aptopt={settings}", *options,
                   release.name, str(tree), str(sources)]
        with step(f"Debian {release}: installing packages", log), log.open("w") as output:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  preexec_fn=die_with_parent(signal.SIGTERM))
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise BuildFailed(f"mmdebstrap ended with {done.returncode}:\n{tail}")


def private_mounts() -> list[str]:
    """A prefix that gives a command mounts of its own: killed at any moment, it leaves none behind.

    Where the kernel refuses that (a container without privileges), mmdebstrap can't mount anything either.
    """
    prefix = ["unshare", "--mount", "--"]
    allowed = subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode == 0
    return prefix if allowed else []


@contextlib.contextmanager
def _settings_of_apt(release: Release) -> Iterator[tuple[pathlib.Path, pathlib.Path]]:
    """Two files, of sources and of settings; not to be kept, since they may name a proxy's password."""
    with tempfile.TemporaryDirectory() as folder:
        sources, settings = pathlib.Path(folder, "debian.sources"), pathlib.Path(folder, "apt.conf")
        targets = _apt("apt-get", "indextargets", "Created-By: Packages")
        sources.write_text(debian_sources(targets, releases.own(), release))
        settings.write_text(_acquire_settings())
        yield sources, settings


def debian_sources(targets: str, own: Release, wanted: Release) -> str:
    """Out of `apt-get indextargets`, whatever format its sources have, Debian's own as one deb822 text.

    Third parties may use the same suite names: a source counts if its index says that its origin is Debian or, before
    the first apt-get update, if its address ends like a Debian archive's.
    """
    found = {}
    for stanza in targets.strip().split("\n\n"):
        field = dict(re.findall(r"^([\w-]+): (.*)$", stanza, re.MULTILINE))
        uri, suite = field.get("Repo-URI", ""), field.get("Release", "")
        origin = field.get("Origin") or ("Debian" if re.search(r"/debian(-security)?(\.list)?/?$", uri) else "")
        if suite in own.suites and field.get("Component") == "main" and origin == "Debian":
            name = suite.replace(own.name, wanted.name)
            found[suite] = f"Types: deb\nURIs: {uri}\nSuites: {name}\nComponents: main\nSigned-By: {_KEYRING}\n"
    if own.name not in found:
        raise BuildFailed(f"this machine's apt has no source of Debian {own} main")
    return "\n".join(found.values())


def _acquire_settings() -> str:
    """How this machine's apt downloads (proxies, timeouts, ...), for the apt that fills the folder."""
    own = _apt("apt-config", "dump", "--no-empty", "--format", '%F "%v";%n')
    wanted = [line for line in own.splitlines()
              if line.startswith("Acquire::") and not line.startswith("Acquire::IndexTargets::")]
    return "\n".join([*wanted, 'Acquire::Languages "none";', 'APT::Sandbox::User "root";', ""])


def _apt(*command: str) -> str:
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout
