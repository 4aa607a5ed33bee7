# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What is in the package, file by file."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from deb import NAME, PROJECT, Debs, field, output, unpack

_DOC = f"usr/share/doc/{NAME}"
_FILES = {
    f"etc/{NAME}/config.yml": 0o644,
    f"lib/systemd/system/{NAME}.service": 0o644,
    "usr/bin/whawty-libvirt-usb-hotplugctl": 0o755,
    f"usr/lib/systemd/catalog/{NAME}.catalog": 0o644,
    f"usr/lib/sysusers.d/{NAME}.conf": 0o644,
    f"usr/libexec/{NAME}/actuator": 0o755,
    f"usr/libexec/{NAME}/gate": 0o755,
    f"usr/libexec/{NAME}/matcher": 0o755,
    f"usr/libexec/{NAME}/scanner": 0o755,
    f"usr/sbin/{NAME}": 0o755,
    "usr/share/bash-completion/completions/whawty-libvirt-usb-hotplugctl": 0o644,
    f"usr/share/lintian/overrides/{NAME}": 0o644,
    "usr/share/man/man1/whawty-libvirt-usb-hotplugctl.1.gz": 0o644,
    f"usr/share/man/man5/{NAME}.yml.5.gz": 0o644,
    f"usr/share/man/man8/{NAME}.8.gz": 0o644,
    f"{_DOC}/README.md.gz": 0o644,
    f"{_DOC}/SECURITY.md.gz": 0o644,
    f"{_DOC}/behaviour.md.gz": 0o644,
    f"{_DOC}/bounds.md.gz": 0o644,
    f"{_DOC}/changelog.Debian.gz": 0o644,
    f"{_DOC}/changelog.gz": 0o644,
    f"{_DOC}/copyright": 0o644,
    f"{_DOC}/decisions.md.gz": 0o644,
    f"{_DOC}/examples/config.yml": 0o644,
    f"{_DOC}/gate.md": 0o644,
    f"{_DOC}/migration.md.gz": 0o644,
    f"{_DOC}/performance.md.gz": 0o644,
    f"{_DOC}/platforms.md.gz": 0o644,
    f"{_DOC}/operators-guide.md.gz": 0o644,
    f"{_DOC}/polkit/{NAME}.rules": 0o644,
    f"{_DOC}/sbom.cdx.json": 0o644,
    f"{_DOC}/system-calls.md.gz": 0o644,
    f"{_DOC}/tool.md.gz": 0o644,
}
_MODULE_DOC = f"usr/share/doc/{NAME}-selinux"
_MODULE_FILES = {
    f"usr/share/lintian/overrides/{NAME}-selinux",
    "usr/share/selinux/devel/include/services/whawty_usb_hotplugd.if",
    "usr/share/selinux/packages/whawty_usb_hotplugd.pp",
    f"{_MODULE_DOC}/README.md.gz",
    f"{_MODULE_DOC}/changelog.Debian.gz",
    f"{_MODULE_DOC}/changelog.gz",
    f"{_MODULE_DOC}/copyright",
    f"{_MODULE_DOC}/whawty_usb_hotplugd.fc",
    f"{_MODULE_DOC}/whawty_usb_hotplugd.if",
    f"{_MODULE_DOC}/whawty_usb_hotplugd.te.gz",
}


class Contents(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        cls.tree = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        unpack(Debs.one(), cls.tree)

    def files(self) -> dict[str, pathlib.Path]:
        every = {path.relative_to(self.tree).as_posix(): path for path in self.tree.rglob("*")}
        return {name: path for name, path in every.items() if not name.startswith("DEBIAN")}

    def test_these_files_with_these_modes_and_no_others(self) -> None:
        found = {name: path.lstat().st_mode & 0o7777 for name, path in self.files().items() if not path.is_dir()}
        self.assertEqual(found, _FILES)

    def test_the_selinux_package_has_the_module_its_interfaces_and_its_source(self) -> None:
        listing = output("dpkg-deb", "--contents", Debs.one(f"{NAME}-selinux")).splitlines()
        files = {line.split(" ./", 1)[1] for line in listing if not line.startswith("d")}
        self.assertEqual(files, _MODULE_FILES)

    def test_only_root_can_write_and_everything_is_readable(self) -> None:
        listing = [line for deb in Debs.all() for line in output("dpkg-deb", "--contents", deb).splitlines()]
        self.assertGreater(len(listing), len(_FILES) + len(_MODULE_FILES))
        for line in listing:
            self.assertRegex(line, r"^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--|lrwxrwxrwx) root/root ")

    def test_all_times_are_the_changelogs(self) -> None:
        times = {int(path.lstat().st_mtime) for path in self.files().values()}
        changelog = output("dpkg-parsechangelog", "-l", PROJECT / "debian" / "changelog", "--show-field", "Timestamp")
        self.assertEqual(times, {int(changelog)})

    def test_the_configuration_is_empty_and_the_administrators(self) -> None:
        lines = (self.tree / f"etc/{NAME}/config.yml").read_text().splitlines()
        self.assertEqual([line for line in lines if not line.startswith("#")], ["{}"])
        self.assertEqual((self.tree / "DEBIAN" / "conffiles").read_text().split(), [f"/etc/{NAME}/config.yml"])
        self.assertTrue((self.tree / f"etc/{NAME}/machines.d").is_dir())

    def test_the_unit_starts_the_program_with_that_configuration(self) -> None:
        unit = (self.tree / f"lib/systemd/system/{NAME}.service").read_text()
        (command,) = re.findall(r"^ExecStart=/(\S+) \$OPTIONS /(\S+)$", unit, re.MULTILINE)
        self.assertLessEqual(set(command), set(_FILES))

    def test_the_version_is_the_programs(self) -> None:
        version = subprocess.run([self.tree / f"usr/sbin/{NAME}", "--version"], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout.split()[-1]
        self.assertEqual(field(Debs.one(), "Version").rpartition("-")[0], version)
