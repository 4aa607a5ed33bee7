# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""A client of the QEMU guest agent: runs commands inside a virtual machine."""

import base64
import dataclasses
import json
import pathlib
import random
import threading
import time
from typing import Any

from sockets import connect

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FIRST_POLL_SECONDS = 0.01  # the agent can't announce a command's end: ask soon, then slower
_SLOWEST_POLL_SECONDS = 0.05
_PART = 1 << 20  # bytes of a file in one request


class AgentError(Exception):
    """The agent refused a request; the text is the agent's description."""


@dataclasses.dataclass(frozen=True)
class Exited:
    """How a process inside ended. `returncode` is negative for a signal."""
    stdout: bytes
    stderr: bytes
    returncode: int


class Agent:
    """One connection to the agent. Any thread may use it; requests take turns."""

    def __init__(self, path: pathlib.Path | str) -> None:
        self._socket = connect(path)
        self._turn = threading.Lock()
        self._buffer = b""
        self._late_answer = False  # one that nobody waits for any more is still to come

    def synchronize(self, timeout: float) -> bool:
        """Drop whatever an earlier client left; whether the agent answered within `timeout` seconds."""
        number = random.getrandbits(31)
        request = {"execute": "guest-sync-delimited", "arguments": {"id": number}}
        deadline = time.monotonic() + timeout
        with self._turn:
            self._socket.sendall(b"\xff" + json.dumps(request).encode() + b"\n")
            self._late_answer = True
            try:
                while json.loads(self._line(deadline).rpartition(b"\xff")[2] or b"{}").get("return") != number:
                    pass
            except TimeoutError:
                return False
            self._late_answer = False
            return True

    def request(self, name: str, timeout: float = 30.0, /, **arguments: Any) -> Any:
        """One request; its return value. Raises AgentError, TimeoutError (seconds), ConnectionError."""
        if self._late_answer and not self.synchronize(timeout):
            raise TimeoutError(f"the guest agent does not answer, before {name}")
        with self._turn:
            self._socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
            self._late_answer = True
            answer = json.loads(self._line(time.monotonic() + timeout))
            self._late_answer = False
        if "error" in answer:
            raise AgentError(f"{name}: {answer['error']['desc']}")
        return answer["return"]

    def start(self, argv: list[str], stdin: bytes | None = None, variables: tuple[str, ...] = ()) -> int:
        """Start a process as root, its output kept by the agent; its pid."""
        arguments: dict[str, Any] = {"path": argv[0], "arg": argv[1:],
                                     "env": [_PATH, "HOME=/root", "LC_ALL=C.UTF-8", *variables], "capture-output": True}
        if stdin is not None:
            arguments["input-data"] = base64.b64encode(stdin).decode()
        return self.request("guest-exec", **arguments)["pid"]

    def poll(self, pid: int) -> Exited | None:
        """The end of a process made by start, once: the agent then forgets it. None while it runs."""
        status = self.request("guest-exec-status", pid=pid)
        if not status["exited"]:
            return None
        if status.get("out-truncated") or status.get("err-truncated"):
            raise AgentError(f"process {pid} wrote more than the agent keeps (16 MiB)")
        return Exited(base64.b64decode(status.get("out-data", "")), base64.b64decode(status.get("err-data", "")),
                      status["exitcode"] if "exitcode" in status else -status["signal"])

    def wait(self, pid: int, timeout: float) -> Exited | None:
        """The end of a process, or None if it still runs after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        pause = _FIRST_POLL_SECONDS
        while (exited := self.poll(pid)) is None and time.monotonic() < deadline:
            time.sleep(pause)
            pause = min(pause * 1.2, _SLOWEST_POLL_SECONDS)
        return exited

    def open(self, path: str, mode: str) -> int:
        """Open a file inside, as fopen(3) does; its handle. No process is started, which makes this fast."""
        return self.request("guest-file-open", path=path, mode=mode)

    def read(self, handle: int) -> bytes:
        """What an open file has from here to its end, as it is now."""
        content = b""
        while True:
            part = self.request("guest-file-read", handle=handle, count=_PART)
            content += base64.b64decode(part["buf-b64"])
            if part["eof"]:
                return content

    def write(self, handle: int, content: bytes) -> None:
        """Add to an open file, for others to see."""
        for start in range(0, len(content), _PART):
            part = base64.b64encode(content[start:start + _PART]).decode()
            written = self.request("guest-file-write", **{"handle": handle, "buf-b64": part})["count"]
            if written != len(content[start:start + _PART]):
                raise AgentError(f"wrote {written} bytes only")
        self.request("guest-file-flush", handle=handle)

    def close_file(self, handle: int) -> None:
        self.request("guest-file-close", handle=handle)

    def close(self) -> None:
        self._socket.close()

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._buffer:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            received = self._socket.recv(1 << 20)
            if not received:
                raise ConnectionError("the virtual machine ended")
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line
