# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the virtual hypervisor with SELinux has besides. Any change to this file makes a new image of that kind."""

PACKAGES = ("selinux-policy-default", "policycoreutils", "selinux-utils")

# Runs outside the finished tree, which is $1: this machine's kernel need not know SELinux to store labels. An unlabelled
# /etc/machine-id alone keeps the journal from starting. chroot(8) for the policy that is in the tree.
LABEL = """
mount -t proc proc "$1/proc" || exit
chroot "$1" setfiles -F -e /proc /etc/selinux/default/contexts/files/file_contexts /
status=$?
umount "$1/proc"
exit $status
"""
