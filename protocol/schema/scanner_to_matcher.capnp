# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
@0x93c45f49143389cb;

using Cxx = import "/capnp/c++.capnp";
using import "matcher_to_actuator.capnp".Digest;
$Cxx.namespace("whawty::schema");

# What the scanner tells the matcher: the USB devices of the host. Every byte string in here may have been chosen by
# whoever built a device; the matcher compares it, and escapes it in messages, and does nothing else with it.
# One message a datagram, at most 64 KiB. Anything outside the bounds given here ends the generation.

struct ScannerMessage {
  union {
    snapshotBegin @0 :Void;
    # A list of all devices follows. Not allowed inside a snapshot.

    device @1 :Device;
    # A device is there, or is no longer as it was. The newest record of a sysfs name replaces the older one.

    removed @2 :Data;
    # The device of this sysfs name (1 to 64 bytes) left. Not allowed inside a snapshot. Unknown names are ignored: the
    # device may have come and gone between two looks.

    snapshotEnd @3 :Void;
    # Devices that were not named since snapshotBegin are gone. Only allowed inside a snapshot.

    pong @4 :Void;
    # The answer to a ping.

    unchanged @5 :Void;
    # The answer to a check: all devices are what they were told to be. Not allowed before the end of the first snapshot,
    # or inside another.

    awake @6 :Void;
    # It woke by itself, for the first time since it answered a ping: it is to be asked again soon.
  }
}

struct Device {
  # One USB device as sysfs and the udev data show it at the moment of reading. At most 4,096 devices at a time, which
  # take at most 8 MiB of memory together.

  sysname @0 :Data;
  # The kernel's name, which is the port path ("3-6.3"): 1 to 64 of the characters A-Z a-z 0-9 . : _ -

  bus @1 :UInt16;                # 1 to 999
  number @2 :UInt16;             # 1 to 127, the devnum: unique on its bus at a time, reused later
  vendor @3 :UInt16;
  product @4 :UInt16;
  deviceClass @5 :UInt8;         # bDeviceClass; 0x09 is a hub
  interfaceClasses @6 :Data;     # bInterfaceClass of each interface, a byte each, at most 256

  properties @7 :List(Property);
  # At most 1,024, sorted by name, no name twice.

  tags @8 :List(Data);           # lines G: of the udev data, at most 1,024, each 1 to 256 bytes
  currentTags @9 :List(Data);    # lines Q:, the same bounds

  propertiesOmitted @10 :Bool;
  # The record would have been too large with its properties and tags, so they are left out.

  digest @11 :Digest;
  # So that the actuator can see whether the device is still this one.

  hostUses @12 :List(HostUse);
  # What the host itself does with it, at most 16, sorted by kind and name, none twice.

  authorized @13 :Bool;          # the host lets it be used
  driver @14 :UInt8;             # who has its interfaces: 0 nobody, 1 usbfs, 2 a driver of the host has one at least
  hostDriver @15 :Data;          # the name of such a driver, 1 to 32 bytes; empty if driver is not 2
}

struct HostUse {
  kind @0 :UInt8;
  # 0: mounted, 1: swap, 2: held by another block device, 3: was one of these until just now, 4: could not be read,
  # 5: carries a default route, 6: a keyboard at the local console, where all keyboards are of USB

  name @1 :Data;                 # the kernel's name of the block device, network interface or input device, 1 to 32 bytes
}

struct Property {
  name @0 :Data;                 # 1 to 256 bytes
  value @1 :Data;                # at most 32 KiB
}
