# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The installed actuator with the harness as its matcher, which asks for what no matcher would.

Requests are made here byte by byte: Cap'n Proto has no module for Python in Debian. As in
protocol/schema/matcher_to_actuator.capnp; https://capnproto.org/encoding.html
"""

import dataclasses
import hashlib
import pathlib
import struct
import uuid

from guests import UsbDevice
from hypervisor import TREE_MOUNT, Hypervisor

DONE, OTHER_DEVICE = 0, 4  # of the enumeration Outcome
_PROGRAM = f"{TREE_MOUNT}/libexec/whawty-libvirt-usb-hotplugd/actuator"
_SCRIPT = pathlib.Path(__file__).with_suffix(".pl")
_PATH = "/run/ask-actuator.pl"
_ATTACH, _DETACH = 2, 3  # the places in the union of Request, by ordinal
_AT_OUTCOME = 40  # behind the frame, the pointer to the root, its two words, and the number of the request


@dataclasses.dataclass(frozen=True)
class Answer:
    outcome: int
    datagram: bytes  # with libvirt's or the actuator's words somewhere in it


def attach(guest: uuid.UUID, device: UsbDevice, digest: bytes) -> bytes:
    return _request(_ATTACH, guest, device, digest)


def detach(guest: uuid.UUID, device: UsbDevice) -> bytes:
    return _request(_DETACH, guest, device)


def digest_of(hypervisor: Hypervisor, device: UsbDevice) -> bytes:
    """As the scanner makes it; see common/device_digest.cpp."""
    hexadecimal = hypervisor.run(f"od -An -v -tx1 /sys/bus/usb/devices/{device.name}/descriptors").stdout
    descriptors = bytes.fromhex(hexadecimal)
    return hashlib.sha256(b"%d:%b%b" % (len(descriptors), descriptors, device.serial.encode())).digest()


def ask(hypervisor: Hypervisor, *requests: bytes) -> list[Answer]:
    """Start the actuator, have it answer each, and end it."""
    hypervisor.write_file(_PATH, _SCRIPT.read_bytes())
    said = hypervisor.run(f"perl {_PATH} {_PROGRAM} {' '.join(request.hex() for request in requests)}").stdout
    return [Answer(*struct.unpack_from("<H", datagram, _AT_OUTCOME), datagram)
            for datagram in map(bytes.fromhex, said.splitlines())]


def _request(kind: int, guest: uuid.UUID, device: UsbDevice, digest: bytes = b"") -> bytes:
    """Each object behind the one before: Request, HostdevRequest, Uuid, Digest. All requests have one number."""
    words = [_struct(0, 2, 1), struct.pack("<QQ", 1, kind),
             _struct(0, 1, 2), struct.pack("<HHHH", device.bus, device.device, device.vendor, device.product),
             _struct(1, 2, 0), _struct(2, 4, 0) if digest else bytes(8),
             struct.pack("<QQ", *struct.unpack(">QQ", guest.bytes))]
    if digest:
        words.append(struct.pack("<QQQQ", *struct.unpack(">QQQQ", digest)))
    content = b"".join(words)
    return struct.pack("<II", 0, len(content) // 8) + content


def _struct(offset: int, data_words: int, pointers: int) -> bytes:
    """A pointer to a struct, that many words behind the end of the pointer."""
    return struct.pack("<IHH", offset << 2, data_words, pointers)
