# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
@0x993af9e06264d3f9;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("whawty::schema");

# What the matcher tells the supervisor: numbers only, because the supervisor has privileges. The reason of a rejection
# goes to the log, where people read it. Anything unknown ends the generation.

struct PolicyMessage {
  union {
    accepted @0 :Void;           # the configuration committed last is in use
    rejected @1 :Void;           # it is not; the one before it stays
    status @2 :Status;           # sent when it changed
    pong @3 :Void;               # the answer to a ping
    awake @4 :Void;              # a worker woke, for the first time since that: it is to be asked again soon
  }
}

struct Status {
  libvirtConnected @0 :Bool;
  machines @1 :UInt32;           # in the configuration
  running @2 :UInt32;            # of these, active in libvirt
  devices @3 :UInt32;            # USB devices on the host, hubs left out
  attached @4 :UInt32;           # USB hostdevs of the running machines
}
