# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""How each program was built, by what the file shows: what makes a bug harder to use.

FORTIFY_SOURCE leaves no trace in a program that has no unbounded call, so it is looked for in the compile commands.

usage: hardening_test.py OBJDUMP COMPILE_COMMANDS FILE...
"""

import json
import re
import subprocess
import sys


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# Machine, as readelf names it, and what every function begins with that can be called through a pointer. On arm64 that
# is either a landing pad, or the instruction that signs the return address, which serves as one.
LANDING_PADS = {"X86-64": r"\tendbr64", "AArch64": r"\t(?:bti\tc|paciasp)\b"}


def problems(headers, dynamic, symbols, instructions):
    """What is missing; the arguments are what readelf and objdump print of the file."""
    machine = re.search(r"Machine:\s+(?:.* )?(\S+)$", headers, re.MULTILINE).group(1)
    stack = re.search(r"GNU_STACK.*?\s([RWE ]{3})\s+0x", headers)
    expected = {
        "position-independent executable": re.search(r"Type:\s+DYN", headers) and "PIE" in dynamic,
        "full RELRO": "GNU_RELRO" in headers and "BIND_NOW" in dynamic,
        "a stack that is not executable": stack and "E" not in stack.group(1),
        "stack protector": "__stack_chk_fail" in symbols,
        "control-flow protection": len(re.findall(LANDING_PADS[machine], instructions)) > 100,
    }
    return [name for name, there in expected.items() if not there]


def problems_of(objdump, file):
    headers = output("readelf", "--wide", "--file-header", "--program-headers", file)
    return problems(headers, output("readelf", "--wide", "--dynamic", file), output("readelf", "--wide", "--symbols", file),
                    output(objdump, "--disassemble", "--no-show-raw-insn", file))


def not_fortified(commands):
    return [entry["file"] for entry in commands if not re.search(r"-D_FORTIFY_SOURCE=[23] .*-O[23s]", entry["command"])]


def main(objdump, compile_commands, *files):
    assert files
    found = [f"{file}: no {missing}" for file in files for missing in problems_of(objdump, file)]
    with open(compile_commands, encoding="utf-8") as commands:
        found += [f"{file}: is compiled without FORTIFY_SOURCE" for file in not_fortified(json.load(commands))]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
