# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What /proc shows of the five processes is what SECURITY.md says, no more and no less."""

import pathlib
import re

from case import Case
from daemon import UNIT, config, rule_of
from hypervisor import TREE_MOUNT

_DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "SECURITY.md"
_PROCESSES = {"supervisor": "whawty-libvirt-usb-hotplugd",
              "scanner": "scanner", "matcher": "matcher", "actuator": "actuator", "gate": "gate"}
_STATUS = ("NoNewPrivs", "Seccomp", "Threads")
_CAPABILITIES = {6: "SETGID", 7: "SETUID"}  # of linux/capability.h
_PROGRAMS = f"{TREE_MOUNT}/libexec/whawty-libvirt-usb-hotplugd/"
_STREAM, _DATAGRAM, _SEQPACKET = "0001", "0002", "0005"  # the column Type of /proc/net/unix
_NETLINK = {"0": "rtnetlink", "15": "udev"}  # the column Eth of /proc/net/netlink: NETLINK_ROUTE and _KOBJECT_UEVENT

# Limits as /proc/PID/limits names them, and what systemd calls them.
_LIMITS = {
    "Max cpu time": "CPU", "Max file size": "FSIZE", "Max data size": "DATA", "Max stack size": "STACK",
    "Max core file size": "CORE", "Max resident set": "RSS", "Max processes": "NPROC", "Max open files": "NOFILE",
    "Max locked memory": "MEMLOCK", "Max address space": "AS", "Max file locks": "LOCKS",
    "Max pending signals": "SIGPENDING", "Max msgqueue size": "MSGQUEUE", "Max nice priority": "NICE",
    "Max realtime priority": "RTPRIO", "Max realtime timeout": "RTTIME",
}
_AS_STARTED = "as started"
_ANY_ORDER = ("fd 7", "fd 8", "fd 9")  # of the actuator: two threads of libvirt's client open them

Fact = tuple[str, str, str]  # process, what the first column of the table says, value


def documented(release: str) -> set[Fact]:
    """The table between the two marks of SECURITY.md, without what it says of other releases."""
    text = _DOCUMENT.read_text(encoding="utf-8").split("<!-- /proc: begin -->")[1].split("<!-- /proc: end -->")[0]
    rows = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
            for line in text.splitlines() if line.startswith("|")]
    head, body = rows[0][1:], rows[2:]
    return {(process, row[0], value) for row in body if row[0].partition(" on Debian ")[2] in ("", release)
            for process, value in zip(head, row[1:], strict=True) if value}


class Proc(Case):
    maxDiff = None

    def test_proc_shows_what_the_document_says(self) -> None:
        self.running("a")
        self.daemon.start(config(a=rule_of("ONE")))
        self.await_hostdevs("a", self.plug("ONE"))  # all are sealed by now
        pids = self.daemon.processes()
        self.assertEqual(sorted(pids), sorted(_PROCESSES.values()))
        self.learn()
        shown = {(process, fact, value) for process, program in _PROCESSES.items()
                 for fact, value in self.facts(pids[program]).items()}
        for limit in _LIMITS:
            unchanged = {(process, limit, _AS_STARTED) for process in _PROCESSES}
            if unchanged <= shown:
                shown -= unchanged
        said = documented(self.release)
        self.assertEqual(self.in_any_order(shown), self.in_any_order(said), "descriptors of the actuator")
        self.assertEqual((sorted(shown - said), sorted(said - shown)), ([], []), "only in /proc, only in the document")

    def in_any_order(self, facts: set[Fact]) -> list[str]:
        """Takes those descriptors out; what they are."""
        taken = {fact for fact in facts if fact[0] == "actuator" and fact[1] in _ANY_ORDER}
        facts -= taken
        return sorted(kind for _, _, kind in taken)

    def learn(self) -> None:
        """What the names and numbers in /proc mean on this system, at this moment."""
        run = self.hypervisor.run
        self.release = run(". /etc/os-release; printf %s $VERSION_ID").stdout
        self.users = {line.split(":")[2]: line.split(":")[0] for line in run("getent passwd").stdout.splitlines()}
        self.groups = {line.split(":")[2]: line.split(":")[0] for line in run("getent group").stdout.splitlines()}
        self.limits = dict(line.split("=") for line in
                           run(f"systemctl show {UNIT}").stdout.replace("infinity", "unlimited").splitlines()
                           if line.startswith("Limit"))
        self.unix = {line.split()[6]: line.split()[4] for line in run("cat /proc/net/unix").stdout.splitlines()}
        self.netlink = {line.split()[-1]: line.split()[1] for line in run("cat /proc/net/netlink").stdout.splitlines()}

    def facts(self, pid: int) -> dict[str, str]:
        """Descriptors are those of the thread that has most: of the scanner's, one has some of its own.

        All but one that was closed while it was looked at: the scanner reads directories now and then.
        """
        text = self.hypervisor.run(f"""
            cd /proc/{pid}; cat status limits; echo "Owner: $(stat -c %U fd)"; tr '\\0' '\\n' <environ | grep JOURNAL
            cd task/$(cd task; for thread in *; do echo $(ls $thread/fd | wc -l) $thread; done | sort -n | tail -n 1 | cut -d ' ' -f 2)/fd
            for fd in *; do target=$(readlink $fd) && echo "fd $fd:$target"; done""", check=False).stdout
        lines = dict(re.findall(r"^(\w[\w ]*):[ \t]*(.*?)[ \t]*$", text, re.MULTILINE))
        journal = re.search(r"^JOURNAL_STREAM=\d+:(\d+)", text, re.MULTILINE)[1]
        return {
            "Uid": names(lines["Uid"], self.users), "Gid": names(lines["Gid"], self.groups),
            "Groups": names(lines["Groups"], self.groups),
            **{key: capabilities(value) for key, value in lines.items() if key.startswith("Cap")},
            **{key: lines[key] for key in _STATUS},
            f"Seccomp_filters on Debian {self.release}": lines["Seccomp_filters"],
            **{limit: self.limit(limit, text) for limit in _LIMITS},
            "owner of /proc/PID/fd": lines["Owner"],
            **{key: self.kind(target.replace(f"/proc/{pid}/", "/proc/self/"), journal)
               for key, target in lines.items() if key.startswith("fd ")},
        }

    def limit(self, name: str, text: str) -> str:
        soft, hard = re.search(rf"^{name} +(\S+) +(\S+)", text, re.MULTILINE).groups()
        if (soft, hard) == (self.limits[f"Limit{_LIMITS[name]}Soft"], self.limits[f"Limit{_LIMITS[name]}"]):
            return _AS_STARTED
        return soft if soft == hard else f"{soft}, hard {hard}"

    def kind(self, target: str, journal: str) -> str:
        """What a descriptor is, in the words of the table; what it has no word for stays as the kernel names it."""
        if socket := re.fullmatch(r"socket:\[(\d+)\]", target):
            inode = socket[1]
            sockets = {_SEQPACKET: "channel", _STREAM: "log" if inode == journal else "stream", _DATAGRAM: "datagram"}
            if inode in self.unix:
                return sockets[self.unix[inode]]
            return _NETLINK.get(self.netlink.get(inode, ""), f"unknown {target}")
        if target.startswith(_PROGRAMS):
            return target.removeprefix(_PROGRAMS)
        return {"anon_inode:[eventfd]": "eventfd", "anon_inode:[signalfd]": "signalfd",
                "/memfd:config (deleted)": "memfd"}.get(target, target)


def names(numbers: str, known: dict[str, str]) -> str:
    return ", ".join(dict.fromkeys(known[number] for number in numbers.split())) or "none"


def capabilities(mask: str) -> str:
    bits = [bit for bit in range(64) if int(mask, 16) >> bit & 1]
    return ", ".join(_CAPABILITIES.get(bit, str(bit)) for bit in bits) or "none"
