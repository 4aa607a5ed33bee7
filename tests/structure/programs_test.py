# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Which libraries each program is linked with, by what readelf says of the built files.

usage: programs_test.py NAME=FILE...
"""

import re
import subprocess
import sys

PARSERS = ("yaml-cpp", "re2", "pugixml")

# Program -> what of these it must not need, and what it must: else the check looks at the wrong thing.
FORBIDDEN = {
    "supervisor": PARSERS + ("virt", "udev", "systemd"),
    "scanner": PARSERS + ("virt", "systemd"),
    "matcher": ("virt", "udev", "systemd"),
    "actuator": PARSERS + ("udev", "systemd"),
    "gate": PARSERS + ("capnp", "kj", "virt", "udev", "systemd", "md", "xml2", "glib"),
    "tool": ("seccomp", "systemd"),
}
REQUIRED = {
    "supervisor": ("capnp", "seccomp"),
    "scanner": ("capnp", "seccomp", "udev"),
    "matcher": ("capnp", "seccomp") + PARSERS,
    "actuator": ("capnp", "seccomp", "virt"),
    "gate": ("seccomp",),
    "tool": ("virt", "udev") + PARSERS,
}


def needed(file):
    output = subprocess.run(["readelf", "--dynamic", "--wide", file], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\)\s+Shared library: \[lib([^\]]+?)\.so", output)


def problems(program, libraries):
    def has(name):
        return any(re.match(rf"{name}(-|$)", library) for library in libraries)

    return [f"{program}: is linked with lib{name}" for name in FORBIDDEN[program] if has(name)] + [
        f"{program}: is not linked with lib{name}: {libraries}" for name in REQUIRED[program] if not has(name)
    ]


def main(arguments):
    files = dict(argument.split("=", 1) for argument in arguments)
    assert set(files) == set(FORBIDDEN), files
    found = [problem for program, file in files.items() for problem in problems(program, needed(file))]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
