# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Which folder may include what: the arrows of the design, checked in every source file. And what bounds hold for.

usage: sources_test.py ROOT
"""

import pathlib
import re
import sys

PROCESSES = ("supervisor", "scanner", "matcher", "actuator", "gate")
FOLDERS = PROCESSES + ("tool", "protocol", "common")

# Room of a process -> the rooms of the same process whose headers it may include. The process includes all of them.
ROOMS = {
    "matcher/configuration": set(),
    "matcher/known": set(),
    "matcher/decided": {"matcher/known", "matcher/configuration"},
    "matcher/said": {"matcher/decided", "matcher/known", "matcher/configuration"},
}
PLACES = FOLDERS + tuple(ROOMS)

# Folder or room -> the places whose headers it may include.
ARROWS = {room: {room, "protocol", "common"} | below for room, below in ROOMS.items()}
for process in PROCESSES:
    ARROWS[process] = {process, "protocol", "common"} | {room for room in ROOMS if room.startswith(f"{process}/")}
ARROWS["gate"] = {"gate", "common"}
ARROWS["tool"] = {"tool", "protocol", "common"} | set(ROOMS)
ARROWS["protocol"] = {"protocol", "common"}
ARROWS["common"] = {"common"}

# Of these processes the tool has a library, and may include its headers.
OF_TOOL = {"scanner/device_reader.h", "scanner/host_uses.h", "scanner/proc_files.h", "scanner/readers.h",
           "supervisor/config_files.h"}

# What is behind a library's headers stays in the places that are named with it.
LIBRARIES = {
    r"capnp/|kj/|.*\.capnp\.h$": {"protocol"},
    r"yaml-cpp/|re2/": {"matcher/configuration"},
    r"pugixml": {"matcher/known"},
    r"libvirt/": {"actuator", "tool"},
    r"libudev": {"scanner"},
    r"seccomp\.h$": {"common"},
    r"systemd/": set(),
}

BOUNDS = "common/bounds.h"
BOUND = re.compile(r"^inline constexpr [\w:]+ (k\w+)(?: =|{)", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)
SPDX = "SPDX-License-Identifier: BSD-3-Clause"
SOURCES = {".h", ".cpp", ".cmake", ".py", ".sh"}
# Not ours to head: what tests feed the program with, and what is built.
EXEMPT = ("tests/corpus/", "build")


def place_of(path):
    """The room, or else the folder, that a file or header is in."""
    folder, _, rest = path.partition("/")
    room = f"{folder}/{rest.partition('/')[0]}"
    return room if room in ROOMS else folder


def include_problems(path, text):
    """The problems of one source file of a folder of the product; path is relative to the root."""
    place = place_of(path)
    folder = pathlib.PurePath(path).parts[0]
    problems = []
    for header in INCLUDE.findall(text):
        target = place_of(header) if "/" in header else place
        reaches = target in ARROWS[place] or (place == "tool" and header in OF_TOOL)
        if target in PLACES and not reaches:
            problems.append(f"{path}: includes {header}: no arrow leads from {place} to {target}")
        for library, allowed in LIBRARIES.items():
            if re.match(library, header) and place not in allowed:
                problems.append(f"{path}: includes {header}: not in {place}/")
            # Generated headers lie below protocol/schema/.
        if header.startswith("protocol/schema/") and folder != "protocol":
            problems.append(f"{path}: includes {header}: generated code stays in protocol/")
        if header.startswith("protocol/frame.h") and folder != "protocol":
            problems.append(f"{path}: includes {header}: it shows Cap'n Proto")
        if ".." in pathlib.PurePath(header).parts:
            problems.append(f"{path}: includes {header}: paths begin at the root")
    return problems


def spdx_problems(path, text):
    """The first lines name the licence, below at most an interpreter's line."""
    if any(SPDX in line for line in text.splitlines()[:2]):
        return []
    return [f"{path}: no {SPDX} in its first lines"]


def public_header_problems(path, text):
    """A header of protocol/ that other folders include shows them nothing of Cap'n Proto."""
    shown = [header for header in INCLUDE.findall(text) if re.match(r"capnp/|kj/|.*\.capnp\.h$", header)]
    if shown and path.startswith("protocol/") and path.endswith(".h") and path != "protocol/frame.h":
        return [f"{path}: includes {header}: others would include it too" for header in shown]
    return []


def bounds_problems(text, others):
    """A bound of the header has its row in the table, and is held to somewhere in the other sources."""
    problems = []
    for name in BOUND.findall(text):
        uses = re.compile(rf"\b{name}\b")
        if len(uses.findall(text)) < 2:
            problems.append(f"{BOUNDS}: {name} has no row")
        if not any(uses.search(other) for other in others):
            problems.append(f"{BOUNDS}: {name} bounds nothing")
    return problems


def is_source(path):
    name = pathlib.PurePath(path)
    return (name.suffix in SOURCES or name.name == "CMakeLists.txt") and not path.startswith(EXEMPT)


def problems_of(root):
    problems, count, product = [], 0, {}
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root).as_posix()
        if not file.is_file() or path.startswith(".") or not is_source(path):
            continue
        count += 1
        text = file.read_text(encoding="utf-8")
        problems += spdx_problems(path, text)
        if path.split("/")[0] in FOLDERS:
            product[path] = text
            problems += include_problems(path, text) + public_header_problems(path, text)
    problems += bounds_problems(product.pop(BOUNDS), product.values())
    if count < 50:
        problems.append(f"{root}: only {count} source files: is it the project's folder?")
    return problems


if __name__ == "__main__":
    found = problems_of(pathlib.Path(sys.argv[1]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
