# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
@0xd97dc870aa1fdf5a;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("whawty::schema");

# What the supervisor tells the matcher: which configuration to use. Anything unknown or out of bounds, or a descriptor
# too few or too many, ends the generation.

struct ControlMessage {
  union {
    file @0 :ConfigFile;
    # One file of a new configuration, with its content in a sealed memory file that comes as a descriptor. The main
    # file comes first, then those of machines.d sorted by name.

    commit @1 :Int64;
    # The files since the last commit are a whole configuration: use it, or say why not and keep the old one. The time
    # says since when it has been in use before, in seconds since 1970; 0 for a new one.
    # Answered by accepted or rejected. Only allowed after at least one file.

    ping @2 :Void;
    # Answered by pong when the scanner has answered, and the actuator too, if it has ever been connected. Not sent
    # again before that.
  }
}

struct ConfigFile {
  name @0 :Data;
  # The path as messages show it, 1 to 4,096 bytes.

  machine @1 :Data;
  # For a file of machines.d the name of its machine, at most 255 bytes; empty for the main file.
}
