#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Bill of materials of an installed tree, as CycloneDX 1.5 JSON on stdout: which library each program is linked with.

A library is named with the Debian package and version that it was built against. The output depends on the tree, the
installed packages and SOURCE_DATE_EPOCH only.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

NAME = "whawty-libvirt-usb-hotplugd"
PROGRAMS = {
    "supervisor": f"usr/sbin/{NAME}",
    "scanner": f"usr/libexec/{NAME}/scanner",
    "matcher": f"usr/libexec/{NAME}/matcher",
    "actuator": f"usr/libexec/{NAME}/actuator",
    "gate": f"usr/libexec/{NAME}/gate",
    "tool": "usr/bin/whawty-libvirt-usb-hotplugctl",
}

# SPDX expression of what is linked, by Debian's source package: their own copyright files are for humans.
LICENCES = {
    "capnproto": "MIT",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "libmd": "BSD-3-Clause AND BSD-2-Clause AND ISC AND Beerware",
    "libseccomp": "LGPL-2.1-only",
    "libvirt": "LGPL-2.1-or-later",
    "pugixml": "MIT",
    "re2": "BSD-3-Clause",
    "systemd": "LGPL-2.1-or-later",
    "yaml-cpp": "MIT",
}


def output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def needed(program: pathlib.Path) -> list[str]:
    """The sonames that the dynamic linker loads for it, but for those that these load in turn."""
    dynamic = output("readelf", "--dynamic", "--wide", str(program))
    return sorted(re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", dynamic))


def package_of(soname: str) -> str:
    """The installed package, NAME:ARCHITECTURE, that owns the library. /lib is /usr/lib, but dpkg does not know it."""
    multiarch = os.environ.get("DEB_HOST_MULTIARCH") or output("dpkg-architecture", "-qDEB_HOST_MULTIARCH").strip()
    for folder in (f"/usr/lib/{multiarch}", f"/lib/{multiarch}"):
        found = subprocess.run(["dpkg-query", "--search", f"{folder}/{soname}"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
        if found.returncode == 0:
            return found.stdout.split(": ")[0]
    raise SystemExit(f"no installed package has {soname} in /usr/lib/{multiarch} or /lib/{multiarch}")


def library(soname: str) -> dict[str, object]:
    fields = ("Package", "Version", "Architecture", "source:Package", "source:Version")
    wanted = "\n".join(f"${{{field}}}" for field in fields)
    shown = output("dpkg-query", "--show", "--showformat", wanted, package_of(soname))
    package, version, architecture, source, source_version = shown.split("\n")
    component: dict[str, object] = {
        "type": "library", "bom-ref": soname, "name": soname, "version": version,
        "purl": f"pkg:deb/debian/{package}@{urllib.parse.quote(version, safe='')}?arch={architecture}",
        "properties": [{"name": "debian:package", "value": package},
                       {"name": "debian:source", "value": f"{source} {source_version}"}],
    }
    if source in LICENCES:
        component["licenses"] = [{"expression": LICENCES[source]}]
    return component


def program(name: str, version: str, file: pathlib.Path) -> dict[str, object]:
    return {
        "type": "application", "bom-ref": name, "name": name, "version": version,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}],
        "licenses": [{"expression": "BSD-3-Clause"}],
        "properties": [{"name": "debian:file", "value": f"/{PROGRAMS[name]}"}],
    }


def bill(root: pathlib.Path, version: str, epoch: int) -> dict[str, object]:
    files = {name: root / path for name, path in PROGRAMS.items()}
    links = {name: needed(file) for name, file in files.items()}
    libraries = sorted(set().union(*links.values()))
    timestamp = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": timestamp.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lifecycles": [{"phase": "build"}],  # on a host, libraries are those that its updates have brought
            "component": {"type": "application", "bom-ref": NAME, "name": NAME, "version": version,
                          "licenses": [{"expression": "BSD-3-Clause"}]},
        },
        "components": [*(program(name, version, file) for name, file in files.items()), *map(library, libraries)],
        "dependencies": [{"ref": NAME, "dependsOn": sorted(files)},
                         *({"ref": name, "dependsOn": sonames} for name, sonames in links.items()),
                         *({"ref": soname} for soname in libraries)],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, type=pathlib.Path, help="what becomes / when it is installed")
    parser.add_argument("--version", required=True, help="of the package")
    options = parser.parse_args()
    json.dump(bill(options.root, options.version, int(os.environ["SOURCE_DATE_EPOCH"])), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
