# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The bill of materials says what readelf, dpkg and sha256 say."""

import hashlib
import json
import pathlib
import re
import tempfile
import unittest
import urllib.parse

from deb import NAME, Debs, field, output, unpack

_PROGRAMS = {"supervisor": f"usr/sbin/{NAME}", "tool": "usr/bin/whawty-libvirt-usb-hotplugctl",
             **{name: f"usr/libexec/{NAME}/{name}" for name in ("scanner", "matcher", "actuator", "gate")}}


class Bill(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.tree = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        unpack(Debs.one(), cls.tree)
        cls.bill = json.loads((cls.tree / f"usr/share/doc/{NAME}/sbom.cdx.json").read_text())
        cls.components = {component["bom-ref"]: component for component in cls.bill["components"]}
        cls.depends = {entry["ref"]: entry.get("dependsOn", []) for entry in cls.bill["dependencies"]}

    def libraries(self) -> dict[str, dict]:
        return {ref: component for ref, component in self.components.items() if component["type"] == "library"}

    def needed(self, program: str) -> list[str]:
        listing = output("objdump", "--private-headers", self.tree / _PROGRAMS[program])
        return re.findall(r"^\s+NEEDED\s+(\S+)$", listing, re.MULTILINE)

    def test_it_is_cyclonedx_with_references_that_lead_somewhere(self) -> None:
        self.assertEqual({**self.bill, "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1}, self.bill)
        main = self.bill["metadata"]["component"]
        self.assertEqual((main["name"], main["version"]), (NAME, field(Debs.one(), "Version")))
        self.assertEqual(len(self.components), len(self.bill["components"]), "a reference that is used twice")
        self.assertEqual(set(self.depends), {*self.components, NAME})
        self.assertLessEqual({ref for refs in self.depends.values() for ref in refs}, set(self.components))
        self.assertEqual(sorted(self.depends[NAME]), sorted(_PROGRAMS))

    def test_each_program_has_exactly_the_libraries_that_it_is_linked_with(self) -> None:
        for program in _PROGRAMS:
            self.assertGreater(len(self.needed(program)), 3)
            self.assertEqual(sorted(self.depends[program]), sorted(self.needed(program)), program)
        every = {soname for program in _PROGRAMS for soname in self.needed(program)}
        self.assertEqual(set(self.libraries()), every)

    def test_digests_are_those_of_the_installed_programs(self) -> None:
        for program, path in _PROGRAMS.items():
            (digest,) = self.components[program]["hashes"]
            self.assertEqual(digest["alg"], "SHA-256")
            self.assertEqual(digest["content"], hashlib.sha256((self.tree / path).read_bytes()).hexdigest(), program)

    def test_each_library_is_of_an_installed_package_that_the_package_depends_on(self) -> None:
        depends = re.split(r"[,|] *", re.sub(r" *\([^)]*\)", "", field(Debs.one(), "Depends")))
        for soname, library in self.libraries().items():
            properties = {entry["name"]: entry["value"] for entry in library["properties"]}
            package = properties["debian:package"]
            self.assertIn(package, depends)
            self.assertEqual(library["version"], output("dpkg-query", "-W", "-f", "${Version}", package), soname)
            self.assertTrue([path for path in output("dpkg-query", "--listfiles", package).split("\n")
                             if path.endswith("/" + soname)], f"{package} has no {soname}")
            version = urllib.parse.quote(library["version"], safe="")
            self.assertTrue(library["purl"].startswith(f"pkg:deb/debian/{package}@{version}?"), library["purl"])

    def test_every_component_has_a_licence(self) -> None:
        for ref, component in self.components.items():
            self.assertTrue(component.get("licenses"), f"{ref}: tools/sbom.py knows no licence of it")
