# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
@0xf40f97810d6eb642;

using Cxx = import "/capnp/c++.capnp";
using import "matcher_to_actuator.capnp".Uuid;
$Cxx.namespace("whawty::schema");

# What the actuator tells the matcher. It does not read the text that it passes on: the matcher, which can do no harm,
# parses it. Anything unknown or out of bounds ends the generation.

struct ActuatorMessage {
  union {
    domain @0 :Domain;
    # One of the answers to a list request.

    changed @1 :Domain;
    # libvirt told of an event: the domain started, stopped, or one of its devices came or went. The matcher asks for
    # the truth with a describe request.

    xml @2 :XmlChunk;
    # A part of the answer to a describe request.

    result @3 :Result;
    # The end of the answer to any request.

    stalled @4 :Uuid;
    # A call for this domain has not returned for some seconds. Requests for it are refused until it does.

    awake @5 :Void;
    # It woke by itself, for the first time since it answered a ping: it is to be asked again soon.
  }
}

struct Domain {
  uuid @0 :Uuid;
  name @1 :Data;                 # 1 to 1,024 bytes
  active @2 :Bool;               # at the moment of asking; of a changed domain: always false, and without meaning
  letGo @3 :Bool;                # of a changed domain: it was restored or migrated to this host since the last such
                                 # message, so its USB hostdevs lead nowhere; of a listed one: always false
  died @4 :Bool;                 # of a changed domain: its QEMU ended unasked since the last such message; of a
                                 # listed one: always false
  run @5 :UInt32;                # libvirt's id of a domain that runs, another one after each start; of any other, and
                                 # of a changed one: 0, and without meaning
}

struct XmlChunk {
  request @0 :UInt64;            # of a describe request that is unanswered
  data @1 :Data;                 # 1 byte to 48 KiB; in order, 1 MiB in all
}

struct Result {
  request @0 :UInt64;            # one that is unanswered
  outcome @1 :Outcome;
  libvirtCode @2 :Int32;         # virErrorNumber of a failure that libvirt reported, else 0
  message @3 :Data;              # libvirt's words for a failure, at most 1 KiB
  microseconds @4 :UInt64;       # how long the call took
}

enum Outcome {
  done @0;
  failed @1;                     # libvirt refused: see code and message
  noDomain @2;                   # there is no such domain
  stalled @3;                    # not tried: an earlier call for this domain has not returned
  otherDevice @4;                # not tried: the device with these numbers is not the one that was meant
  swapped @5;                    # it became another one while it was attached, and was detached at once
  notListed @6;                  # not tried: the domain is not in the list of those that may be changed
}
