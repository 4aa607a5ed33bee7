# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#
# Runs inside the hypervisor for ask_actuator.py: starts the actuator with this program as its matcher, sends it the
# requests that are given, in hexadecimal, each when the one before is answered, and says their results.
#
# Arguments: PROGRAM REQUEST...
use strict; use warnings; use POSIX; use Socket;

my $result = 3; # the place in the union of actuator_to_matcher.capnp
my $user = "whawty-usb-gate"; # which libvirtd lets in; there is no gate here
my ($passed, $gate) = (3, 4); # the descriptors, of common/descriptors.h

my ($program, @requests) = @ARGV;
socketpair my $mine, my $its, AF_UNIX, SOCK_SEQPACKET, 0 or die "socketpair: $!";
defined(my $child = fork) or die "fork: $!";
if (!$child) {
    POSIX::dup2(fileno $its, $passed);
    POSIX::dup2(POSIX::open("/dev/null", O_RDONLY), $gate);
    exec "setpriv", "--reuid=$user", "--regid=$user", "--clear-groups", "--no-new-privs",
        $program, "--connect", "qemu:///system" or die "exec: $!";
}
close $its;
for my $request (@requests) {
    send $mine, pack("H*", $request), 0 or die "send: $!";
    my $datagram;
    do {
        recv $mine, $datagram, 65536, 0;
        length $datagram or die "the actuator ended";
    } until unpack("x16 v", $datagram) == $result; # behind the frame and the pointer to the root
    print unpack("H*", $datagram), "\n";
}
