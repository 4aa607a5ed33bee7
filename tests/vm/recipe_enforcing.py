# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the embedded hypervisor with SELinux has besides. Any change to this file makes a new image of that kind."""

PACKAGES = ("selinux-policy-default", "policycoreutils", "selinux-utils")

KERNEL_OPTIONS = "security=selinux selinux=1 enforcing=1 audit=1"

# Runs outside the tree, which is $1, when all else is done: a kernel without SELinux stores labels too.
CUSTOMIZE_HOOK = """
chroot "$1" setfiles -F -e /proc -e /sys -e /dev /etc/selinux/default/contexts/files/file_contexts /
"""
