# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#
# Runs inside the hypervisor for test_gate.py. It starts the gate as its own user, connects to it as the actuator's, sends
# the frames that are given, in hexadecimal, and says what comes back to each: the reply to a call, or "end". Then it says
# what the gate has logged, and "--". That for each group of frames, with a gate of its own.
#
# Arguments: PROGRAM DOMAIN FRAME... [-- FRAME...]...    DOMAIN: the list of --domains
#            client SOCKET FRAME...     what the second user does
use strict; use warnings; use Fcntl; use POSIX (); use Socket; use IO::Select;

my $heartbeat = 3; # descriptors, of common/descriptors.h
my $listener = 4;
my ($folder, $log) = ("/run/gate-test", "/run/gate-test/log");

sub frame_from {
    my ($socket) = @_;
    my $frame = "";
    while (length $frame < 4 || length $frame < unpack("N", $frame)) {
        return unless IO::Select->new($socket)->can_read(20);
        sysread $socket, $frame, (length $frame < 4 ? 4 : unpack("N", $frame)) - length $frame, length $frame or return;
    }
    return $frame;
}

sub client {
    my ($path, @frames) = @_;
    $SIG{PIPE} = "IGNORE";
    socket my $gate, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
    connect $gate, sockaddr_un($path) or die "connect: $!";
    for my $frame (@frames) {
        syswrite $gate, pack("H*", $frame);
        my $answer;
        do { $answer = frame_from($gate) } while defined $answer && unpack("x16 N", $answer) != 1; # but events
        print defined $answer ? unpack("H*", $answer) : "end", "\n";
        last unless defined $answer;
    }
    exit 0;
}

sub become { # and run
    my ($user, @command) = @_;
    exec "setpriv", "--reuid=$user", "--regid=$user", "--init-groups", "--no-new-privs", @command or die "exec: $!";
}

# One life of a gate.
sub serve {
    my ($program, $domain, @frames) = @_;
    unlink "$folder/socket";
    socket my $socket, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
    bind $socket, sockaddr_un("$folder/socket") or die "bind: $!";
    listen $socket, 1 or die "listen: $!";
    socketpair my $mine, my $its, AF_UNIX, SOCK_SEQPACKET, 0 or die "socketpair: $!";
    defined(my $gate = fork) or die "fork: $!";
    if (!$gate) {
        open STDERR, ">", $log or die "$log: $!";
        my ($first, $second) = map { fcntl $_, F_DUPFD, 16 } $its, $socket; # out of the way
        POSIX::dup2($first, $heartbeat);
        POSIX::dup2($second, $listener);
        POSIX::close($_) for 5 .. 40;
        become("whawty-usb-gate", $program, "--connect", "qemu:///system", $domain ne "" ? ("--domain", $domain) : ());
    }
    close $_ for $its, $socket;
    defined(my $client = fork) or die "fork: $!";
    if (!$client) { become("whawty-usb-actuator", "perl", $0, "client", "$folder/socket", @frames); }
    waitpid $client, 0;
    close $mine; # the gate ends with its supervisor, if it has not ended before
    waitpid $gate, 0;
    open my $said, "<", $log or die "$log: $!";
    print "gate: $_" for map { s/^.*?gate: //r } <$said>;
    print "--\n";
}

shift, client(@ARGV) if $ARGV[0] eq "client";
$| = 1;
my ($program, $domain, @all) = @ARGV;
mkdir $folder;
umask 0;
for my $frames (split / ?-- ?/, "@all") { serve($program, $domain, split / /, $frames); }
