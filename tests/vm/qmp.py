# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""A client of QEMU's monitor protocol (QMP)."""

import contextlib
import json
import pathlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from sockets import connect


class QmpError(Exception):
    """QEMU refused a command; the text is QEMU's description."""


class Qmp:
    """One QMP connection. Any thread may use it."""

    def __init__(self, path: pathlib.Path | str, timeout: float = 10.0) -> None:
        self._socket = connect(path)
        self._socket.settimeout(timeout)
        self._stream = self._socket.makefile("r", encoding="utf-8")
        self._stream.readline()  # the greeting
        self._socket.settimeout(None)
        self._changed = threading.Condition()
        self._events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._next_id = 0
        self._gone = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.command("qmp_capabilities")

    def command(self, name: str, timeout: float = 10.0, /, **arguments: Any) -> Any:
        """Run one command; its return value. Raises QmpError, TimeoutError (seconds), ConnectionError."""
        with self._changed:
            self._next_id += 1
            number = self._next_id
            self._socket.sendall(json.dumps({"execute": name, "arguments": arguments, "id": number}).encode())
            self._wait(lambda: number in self._answers, time.monotonic() + timeout, f"QMP {name}")
            answer = self._answers.pop(number)
        if "error" in answer:
            raise QmpError(f"{name}: {answer['error']['desc']}")
        return answer["return"]

    def mark(self) -> int:
        """The place in the event log after all that has happened so far, for wait_event."""
        with self._changed:
            return len(self._events)

    def wait_event(self, name: str, since: int = 0, timeout: float = 10.0, /, **data: Any) -> dict[str, Any]:
        """The first event after the mark `since` with that name and, at least, that data. Raises TimeoutError."""
        found: list[dict[str, Any]] = []

        def seen() -> bool:
            found[:] = [event for event in self._events[since:] if event["event"] == name
                        and data.items() <= event.get("data", {}).items()]
            return bool(found)

        with self._changed:
            self._wait(seen, time.monotonic() + timeout, f"QMP event {name} {data}")
        return found[0]

    def close(self) -> None:
        with contextlib.suppress(OSError):  # QEMU may have ended first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._stream.close()
        self._socket.close()

    def _wait(self, condition: Callable[[], bool], deadline: float, what: str) -> None:
        while not condition():
            if self._gone:
                raise ConnectionError(f"QEMU ended while waiting for {what}")
            if not self._changed.wait(deadline - time.monotonic()):
                raise TimeoutError(f"{what}: no answer")

    def _read(self) -> None:
        try:
            for line in self._stream:
                self._take(json.loads(line))
        except OSError:
            pass  # the same as the end of the stream
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        with self._changed:
            if "event" in message:
                self._events.append(message)
            else:
                self._answers[message["id"]] = message
            self._changed.notify_all()
