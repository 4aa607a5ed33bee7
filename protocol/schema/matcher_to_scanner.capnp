# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
@0xd9e38d1c40ed05af;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("whawty::schema");

# What the matcher may ask of the scanner. Anything unknown ends the generation.

struct ScanRequest {
  kind @0 :Kind;

  enum Kind {
    none @0;                     # never sent

    rescan @1;
    # Read everything again and send a whole snapshot. Sent when a record is out of date, never before the snapshot
    # asked for last has ended.

    ping @2;                     # answered by pong; not sent again before that

    check @3;
    # The same as rescan if anything has happened on the host since everything was read; otherwise answered by
    # unchanged. Sent at each interval, never before an answer to the last.
  }
}
