#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""Boot the virtual hypervisor and give the user of this terminal a root shell in it.

    shell.py [--release NAME] [--apparmor | --enforcing] [--tree DIR]     DIR: to find inside as /opt/whawty

The hypervisor is gone, with all that was done in it, when the shell ends.
"""

import argparse
import contextlib
import os
import pathlib
import select
import socket
import sys
import termios
import tty
from collections.abc import Iterator

import systems
from hypervisor import Hypervisor
from sockets import connect

_UNIT = "terminal.service"
_ASK_SECONDS = 1.0  # how often to see whether the shell has ended


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=pathlib.Path, metavar="DIR")
    systems.add_options(parser, enforcing=True)
    options = parser.parse_args()
    if not sys.stdin.isatty():
        print("shell.py: the standard input is not a terminal", file=sys.stderr)
        return 1
    with Hypervisor(options.tree, systems.chosen(options)) as hypervisor:
        _explain(hypervisor)
        with connect(hypervisor.machine.directory / "shell") as console:
            _start_shell(hypervisor)
            with _raw_terminal():
                _carry(hypervisor, console)
    return 0


def _explain(hypervisor: Hypervisor) -> None:
    plug = f"{pathlib.Path(__file__).resolve().parent / 'plug.py'} {hypervisor.machine.second_monitor}"
    print(f"""\
A root shell in the virtual hypervisor; "exit" or Ctrl-D ends both. To plug devices, from another terminal:
    {plug} plug t1 usb-tablet serial=TAB1
    {plug} unplug t1
""", flush=True)


def _start_shell(hypervisor: Hypervisor) -> None:
    """Run a login shell on the console port, as large as this terminal and of its type."""
    columns, rows = os.get_terminal_size()
    hypervisor.run(
        f"stty -F /dev/hvc0 sane rows {rows} cols {columns}; "
        f"systemd-run --quiet --unit={_UNIT} -p StandardInput=tty-force -p StandardOutput=tty -p StandardError=tty "
        f"-p TTYPath=/dev/hvc0 -p WorkingDirectory=/root -E HOME=/root -E TERM={_terminal_type()} /bin/bash --login")


def _terminal_type() -> str:
    """This terminal's type if Debian's small set of descriptions has it, else the least common one."""
    own = os.environ.get("TERM", "")
    return own if own in ("linux", "screen", "screen-256color", "tmux", "tmux-256color", "xterm", "xterm-256color") \
        else "vt100"


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    """Every key goes to the shell inside, Ctrl-C too, while the block runs."""
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _carry(hypervisor: Hypervisor, console: socket.socket) -> None:
    """Carry bytes both ways until the shell inside has ended."""
    while True:
        ready, _, _ = select.select([sys.stdin, console], [], [], _ASK_SECONDS)
        if console in ready:
            output = console.recv(1 << 16)
            if not output:
                return
            os.write(sys.stdout.fileno(), output)
        if sys.stdin in ready:
            typed = os.read(sys.stdin.fileno(), 1 << 12)
            if not typed:
                return
            console.sendall(typed)
        if not ready and hypervisor.run(f"systemctl is-active --quiet {_UNIT}", check=False).returncode != 0:
            return


if __name__ == "__main__":
    sys.exit(main())
