# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What is inside the virtual hypervisor of any release, beside its kernel and QEMU. Any change to this file makes new images."""

PACKAGES = (
    # the system
    "systemd", "systemd-sysv", "udev", "dbus", "polkitd", "kmod", "procps", "apparmor",
    # the hypervisor
    "libvirt-daemon-system", "libvirt-clients", "qemu-guest-agent",
    # what tests look with
    "usbutils", "psmisc", "strace", "binutils",
    # what tests put on disks
    "dosfstools", "e2fsprogs",
)

# Module directories and files that the hypervisor or its emulated devices can ask for. All others are
# never unpacked: that takes 300 MB off the image and ten seconds off its build. Debian 13 has them compressed.
KERNEL_MODULES = (
    "arch/arm64/crypto", "arch/x86/crypto", "block/t10-pi.ko", "crypto", "lib",
    "drivers/block/virtio_blk.ko", "drivers/char/hw_random", "drivers/char/virtio_console.ko",
    "drivers/dax/dax.ko",
    "drivers/firmware", "drivers/hid", "drivers/input", "drivers/md/dm-mod.ko", "drivers/net/mii.ko", "drivers/net/tun.ko",
    "drivers/net/usb", "drivers/scsi/scsi_common.ko", "drivers/scsi/scsi_mod.ko", "drivers/scsi/sd_mod.ko",
    "drivers/scsi/sg.ko", "drivers/usb", "drivers/virtio",
    "fs/binfmt_misc.ko", "fs/configfs", "fs/ext4", "fs/fat", "fs/fuse", "fs/jbd2", "fs/mbcache.ko",
    "fs/nls",
    "net/bridge", "net/802", "net/llc", "net/ipv4", "net/ipv6", "net/netfilter",
    "sound/core", "sound/soundcore.ko", "sound/usb",
)

DPKG_OPTIONS = (
    *(f"path-exclude={path}" for path in (
        "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
        "/usr/share/i18n/*", "/usr/share/bash-completion/*", "/usr/share/augeas/*", "/usr/share/icons/*",
        "/usr/share/libvirt/test-screenshot.png", "/usr/lib/ipxe/*", "/usr/share/qemu/edk2*",
        "/usr/share/qemu/opensbi*", "/usr/share/qemu/skiboot*", "/usr/share/qemu/openbios*",
        "/usr/share/qemu/u-boot*", "/usr/share/qemu/*.bmp", "/usr/share/qemu/hppa*", "/usr/share/qemu/s390*",
        "/lib/modules/*/kernel/*", "/usr/lib/modules/*/kernel/*")),
    *(f"path-include={usr}/lib/modules/*/kernel/{module}{'*' if module.endswith('.ko') else '/*'}"
      for usr in ("", "/usr") for module in KERNEL_MODULES),
)

# The initrd only has to find the root disk.
INITRAMFS_MODULES = "virtio_pci\nvirtio_blk\next4\ncrc32c_generic\n"
INITRAMFS_CONF = "MODULES=list\nCOMPRESS=gzip\nCOMPRESSLEVEL=1\nFSTYPE=ext4\nRESUME=none\n"

# Units that only cost time here, hold up a shutdown, or fight for a console that the harness uses.
MASKED_UNITS = (
    "serial-getty@ttyAMA0.service", "serial-getty@ttyS0.service", "serial-getty@hvc0.service", "getty@tty1.service", "libvirt-guests.service",
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "logrotate.timer", "man-db.timer",
    "systemd-hwdb-update.service", "systemd-journal-flush.service", "systemd-pstore.service",
    "systemd-journald-dev-log.socket",  # the guest agent writes a line of syslog for every question it is asked
    "systemd-random-seed.service", "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service",
)

# Runs outside the tree, which is $1, before the kernel is installed.
ESSENTIAL_HOOK = f"""
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf '%s' '{INITRAMFS_CONF}' >"$1/etc/initramfs-tools/conf.d/hypervisor"
printf '%s' '{INITRAMFS_MODULES}' >"$1/etc/initramfs-tools/modules"
"""

# Runs outside the tree, which is $1, when all packages are in. Profiles that let their programs do everything are those
# of programs that are not here; in Debian 13 they are three quarters of all, and each costs time at boot.
CUSTOMIZE_HOOK = f"""
chroot "$1" passwd --lock root >/dev/null
echo hypervisor >"$1/etc/hostname"
echo '127.0.0.1 localhost hypervisor' >"$1/etc/hosts"
echo '/dev/vda / ext4 defaults 0 0' >"$1/etc/fstab"
mkdir -p "$1/opt/whawty" "$1/etc/systemd/journald.conf.d"
printf '[Journal]\\nStorage=volatile\\nRateLimitIntervalSec=0\\n' >"$1/etc/systemd/journald.conf.d/hypervisor.conf"
rm -f "$1/etc/libvirt/qemu/networks/autostart/default.xml"
for unit in {' '.join(MASKED_UNITS)}; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done
grep -l 'flags=(unconfined)' "$1"/etc/apparmor.d/* 2>/dev/null | xargs --no-run-if-empty rm
rm -rf "$1/var/lib/apt/lists" "$1/var/cache/apt" "$1/var/cache/debconf" "$1/etc/apt/apt.conf.d/99mmdebstrap"
rm -rf "$1/usr/share/perl" "$1"/usr/lib/*-linux-gnu/perl
"""
