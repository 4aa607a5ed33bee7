# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
@0x807e476414c1828b;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("whawty::schema");

# What the matcher may ask of the actuator: numbers, never text. Each request is answered by exactly one Result with its
# number. At most 64 requests may be unanswered. Anything unknown or out of bounds ends the generation.

struct Request {
  id @0 :UInt64;
  # Chosen by the matcher; not one that is still unanswered.

  union {
    list @1 :Void;
    # Name all domains: answered by a Domain each, then the Result.

    describe @2 :Uuid;
    # Send the live XML of one domain: answered by XmlChunks, then the Result.

    attach @3 :HostdevRequest;
    # Hand one device to one running domain. Bus, device and vendor must be given. All four numbers and the digest must
    # hold on the host before the call and after it: the actuator itself compares them with sysfs.

    ping @5 :Void;
    # Answered at once, whatever calls are under way.

    detach @4 :HostdevRequest;
    # Take one hostdev of type usb from one running domain. Numbers that the live XML does not have are not given:
    # bus with device, vendor with product, never both.
  }
}

struct Uuid {
  # The 16 bytes of a domain's UUID, the first eight as a big-endian number in high, the others in low.
  high @0 :UInt64;
  low @1 :UInt64;
}

struct Digest {
  # What a device is beyond its numbers: the SHA-256 of its descriptors and its serial number, as big-endian numbers.
  first @0 :UInt64;
  second @1 :UInt64;
  third @2 :UInt64;
  fourth @3 :UInt64;
}

struct HostdevRequest {
  domain @0 :Uuid;
  bus @1 :UInt16;                # 1 to 999, or 0: not given
  device @2 :UInt16;             # 1 to 127, or 0 if bus is 0
  vendor @3 :UInt16;             # 1 to 0xffff, or 0: not given (libvirt refuses vendor 0)
  product @4 :UInt16;            # any, but 0 if vendor is 0
  digest @5 :Digest;             # of an attach request; a detach request has none
}
