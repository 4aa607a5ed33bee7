# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#
# Runs inside the hypervisor for watcher.py: says each change of devices, guests and daemon processes, and does what
# it is told. Seconds are those of CLOCK_MONOTONIC. It looks at files only, so that watching costs next to nothing:
# libvirt writes a guest's live XML to /run/libvirt/qemu whenever it changes.
#
# Says, on lines of its output:
#   state SECONDS ITEM...              all that there is, where the items are
#     D/SYSNAME/INODE/BUS/DEVICE/VENDOR/PRODUCT/READY/HOST/SERIAL   a USB device; READY: udev has processed it; HOST: a
#                                      driver of the host has its interface, so no guest's QEMU does
#     G/NAME/BUS.DEVICE.VENDOR.PRODUCT/...   a running guest and its hostdevs
#     P/NAME/PID                       a process of the daemon
#   did SECONDS NUMBER STATUS OUTPUT   the end of a command; OUTPUT with \n for line ends
# Takes lines from the FIFO: NUMBER sh COMMAND, NUMBER virsh SHELL COMMAND (two shells, 0 and 1),
# NUMBER kill SIGNAL PROCESS, NUMBER early MILLISECONDS SIGNAL (service restart; signal so soon after the start)
use strict; use warnings; use IO::Select; use IO::Handle;

my ($fifo, $unit) = @ARGV;
my $pause = 0.03; # seconds between looks
STDOUT->autoflush(1);
$SIG{PIPE} = "IGNORE";

sub now { my $t = "\0" x 16; syscall 228, 1, $t; my ($s, $n) = unpack "qq", $t; $s + $n / 1e9 }

sub content { open my $file, "<", shift or return ""; local $/; my $text = <$file>; defined $text ? $text : "" }

sub did { my ($number, $status, $text) = @_; $text =~ s/\s+$//; $text =~ s/\n/\\n/g;
          printf "did %.4f %s %s %s\n", now(), $number, $status, $text }

my (%device, %guest);

sub devices {
    opendir my $directory, "/sys/bus/usb/devices" or return;
    my @items;
    for my $name (sort grep /^\d+-[\d.]+$/, readdir $directory) {
        my $path = "/sys/bus/usb/devices/$name";
        my $inode = (stat "$path/")[1] or next;
        my $serial_file = join " ", (stat "$path/serial")[0, 1]; # a test may mount another one over it
        my $known = $device{$name};
        if (!$known or $known->[0] != $inode or $known->[1] ne $serial_file) {
            my @values = map { my $text = content("$path/$_"); chomp $text; $text }
                qw(busnum devnum idVendor idProduct serial);
            next if $values[0] eq "" or $values[1] eq "";
            $known = $device{$name} = [$inode, $serial_file, @values];
        }
        my (undef, undef, $bus, $number, $vendor, $product, $serial) = @$known;
        my $ready = -e sprintf("/run/udev/data/c189:%d", ($bus - 1) * 128 + $number - 1) ? 1 : 0;
        my $driver = readlink "$path/$name:1.0/driver";
        my $host = defined $driver && $driver !~ /usbfs$/ ? 1 : 0;
        push @items, "D/$name/$inode/$bus/$number/$vendor/$product/$ready/$host/$serial";
    }
    @items;
}

sub guests {
    my @items;
    for my $path (sort glob "/run/libvirt/qemu/*.xml") {
        my @stat = stat $path or next;
        my $version = "$stat[1] $stat[9] $stat[7]";
        my ($name) = $path =~ m,([^/]+)\.xml$,;
        if (!$guest{$name} or $guest{$name}[0] ne $version) {
            my $text = content($path);
            my @hostdevs;
            while ($text =~ m,<hostdev mode='subsystem' type='usb'.*?</hostdev>,sg) {
                my $hostdev = $&;
                my ($vendor) = $hostdev =~ /<vendor id='0x(\w+)'/; my ($product) = $hostdev =~ /<product id='0x(\w+)'/;
                my ($bus, $number) = $hostdev =~ /<address bus='(\d+)' device='(\d+)'/;
                push @hostdevs, join ".", map { defined $_ ? $_ : "" } $bus, $number, $vendor, $product;
            }
            $guest{$name} = [$version, join "/", "G", $name, sort @hostdevs];
        }
        push @items, $guest{$name}[1];
    }
    @items;
}

sub processes {
    my @items;
    for my $pid (split /\n/, content("/sys/fs/cgroup/system.slice/$unit/cgroup.procs")) {
        my $name = content("/proc/$pid/comm"); chomp $name;
        $name = "supervisor" if $name =~ /^whawty/;
        push @items, "P/$name/$pid" if $name ne "";
    }
    sort @items;
}

my $said = "nothing yet";
sub look {
    my $state = join " ", devices(), guests(), processes();
    return if $state eq $said;
    $said = $state;
    printf "state %.4f %s\n", now(), $state;
}

my (%take, %rest, %child, @shell, %shell_of);
my $select = IO::Select->new;

sub watch { my ($stream, $handler) = @_; $take{$stream} = $handler; $rest{$stream} = ""; $select->add($stream) }

sub start_shell {
    my $number = shift;
    pipe my $in, my $to or die; pipe my $from, my $out or die;
    if (fork() == 0) {
        open STDIN, "<&", $in; open STDOUT, ">&", $out; open STDERR, ">&", $out;
        exec "stdbuf", "-oL", "virsh", "--quiet" or die;
    }
    $to->autoflush(1);
    $shell_of{$from} = $shell[$number] = {to => $to, said => ""};
    watch($from, sub { $shell_of{$from}{said} .= "$_[0]\n" });
}

# The mark has no line end, and libvirtd's restart is no failure of the command, which virsh does then.
sub end_of_shell_command {
    my ($stream) = @_;
    $rest{$stream} =~ s/^'?THE-END-(\d+)-'?// or return;
    my ($number, $said) = ($1, $shell_of{$stream}{said});
    $shell_of{$stream}{said} = "";
    did($number, $said =~ /(^|\n)error: (?!Disconnected|Reconnected)/ ? 1 : 0, $said);
}

sub kill_process {
    my ($number, $signal, $name) = @_;
    my ($pid) = map { m,^P/\Q$name\E/(\d+)$, ? $1 : () } processes();
    my $status = defined $pid && kill($signal, $pid) ? 0 : 1;
    did($number, $status, defined $pid ? $pid : "no such process");
}

# Does not wait for systemctl, which takes longer than the daemon to start.
sub signal_early {
    my ($milliseconds, $signal) = @_;
    my %before = map { $_ => 1 } processes();
    my $pid;
    system "systemctl", "restart", "--no-block", $unit;
    until (($pid) = map { m,^P/supervisor/(\d+)$, && !$before{$_} ? $1 : () } processes()) {
        select undef, undef, undef, 0.001;
    }
    select undef, undef, undef, $milliseconds / 1000;
    kill $signal, $pid;
    exec "systemctl", "start", $unit; # waits for the end of that
}

sub start_command {
    my ($number, $code) = @_;
    my $pid = open my $output, "-|";
    if ($pid == 0) { open STDERR, ">&", \*STDOUT; open STDIN, "<", "/dev/null"; $code->(); exit 0 }
    $child{$output} = {number => $number, pid => $pid, stream => $output, said => ""};
    watch($output, sub { $child{$output}{said} .= "$_[0]\n" });
}

sub end_command {
    my $child = delete $child{shift()} or return;
    waitpid $child->{pid}, 0;
    my $unended = delete $rest{$child->{stream}} // "";
    did($child->{number}, $? >> 8 || $?, $child->{said} . $unended);
}

sub command {
    my ($number, $what, $arguments) = split / /, shift, 3;
    if ($what eq "sh") { return start_command($number, sub { exec "/bin/sh", "-c", $arguments }) }
    my ($first, $more) = split / /, $arguments, 2;
    if ($what eq "early") { return start_command($number, sub { signal_early($first, $more) }) }
    if ($what eq "kill") { return kill_process($number, $first, $more) }
    print { $shell[$first]{to} } "$more\necho --shell THE-END-$number-\n";
}

start_shell($_) for 0, 1;
open my $commands, "+<", $fifo or die;
watch($commands, \&command);
while (1) {
    for my $stream ($select->can_read($pause)) {
        if (!sysread($stream, $rest{$stream}, 65536, length $rest{$stream})) {
            $select->remove($stream); end_command($stream); close $stream; next;
        }
        do { end_of_shell_command($stream) if $shell_of{$stream} }
            while $rest{$stream} =~ s/^(.*)\n// and ($take{$stream}->($1), 1);
    }
    look();
}
