# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the structure's tests must find, and what not."""

import pathlib
import unittest

import links_test
import programs_test
import sources_test


class IncludesTest(unittest.TestCase):
    def bad(self, path, header):
        for line in (f"#include <{header}>\n", f'  #  include "{header}"\n'):
            self.assertTrue(sources_test.include_problems(path, "// x\n" + line), f"{path} {header}")

    def good(self, path, header):
        self.assertEqual(sources_test.include_problems(path, f'#include "{header}"\n'), [])

    def test_arrows(self):
        for process in sources_test.PROCESSES:
            self.good(f"{process}/x.cpp", f"{process}/y.h")
            (self.bad if process == "gate" else self.good)(f"{process}/x.cpp", "protocol/channel.h")
            self.good(f"{process}/x.h", "common/fd.h")
            self.bad("protocol/x.cpp", f"{process}/y.h")
            self.bad("common/x.h", f"{process}/y.h")
            for other in sources_test.PROCESSES:
                if other != process:
                    self.bad(f"{process}/x.cpp", f"{other}/y.h")
        self.bad("common/x.cpp", "protocol/channel.h")
        self.good("protocol/x.cpp", "common/fd.h")
        self.bad("matcher/x.cpp", "../scanner/y.h")

    def test_rooms(self):
        for room, below in sources_test.ROOMS.items():
            process = room.split("/")[0]
            self.good(f"{process}/x.cpp", f"{room}/y.h")
            self.bad(f"{room}/x.cpp", f"{process}/y.h")
            for other in sources_test.ROOMS:
                (self.good if other in below | {room} else self.bad)(f"{room}/x.cpp", f"{other}/y.h")

    def test_the_tool(self):
        for place in (*sources_test.ROOMS, "tool", "protocol", "common"):
            self.good("tool/x.cpp", f"{place}/y.h")
        for process in sources_test.PROCESSES:
            self.bad("tool/x.cpp", f"{process}/y.h")
        for header in sources_test.OF_TOOL:
            self.good("tool/x.cpp", header)
        for place in sources_test.PLACES:
            if place != "tool":
                self.bad(f"{place}/x.cpp", "tool/y.h")

    def test_libraries(self):
        own = {
            "yaml-cpp/yaml.h": "matcher/configuration",
            "re2/re2.h": "matcher/configuration",
            "pugixml.hpp": "matcher/known",
            "libudev.h": "scanner",
            "capnp/message.h": "protocol",
            "kj/exception.h": "protocol",
            "protocol/schema/matcher_to_scanner.capnp.h": "protocol",
            "seccomp.h": "common",
            "protocol/frame.h": "protocol",
        }
        for header, owner in own.items():
            for place in sources_test.PLACES:
                (self.good if place == owner else self.bad)(f"{place}/x.cpp", header)
        for place in sources_test.PLACES:
            (self.good if place in ("actuator", "tool") else self.bad)(f"{place}/x.cpp", "libvirt/libvirt.h")
        self.bad("supervisor/x.cpp", "systemd/sd-daemon.h")

    def test_public_headers(self):
        text = "#include <capnp/message.h>\n"
        self.assertTrue(sources_test.public_header_problems("protocol/device.h", text))
        self.assertFalse(sources_test.public_header_problems("protocol/frame.h", text))
        self.assertFalse(sources_test.public_header_problems("protocol/device.cpp", text))

    def test_bounds(self):
        text = "inline constexpr int kMost = 1;\ninline constexpr Bound kBounds[] = {\n    {\"most\", kMost}};\n"
        self.assertFalse(sources_test.bounds_problems(text, ["x(kMost)"]))
        self.assertTrue(sources_test.bounds_problems(text, ["x(kMostly)"]))
        self.assertTrue(sources_test.bounds_problems("inline constexpr int kMost = 1;\n", ["kMost"]))

    def test_licence(self):
        line = "// SPDX-License-Identifier: BSD-3-Clause\n"
        self.assertFalse(sources_test.spdx_problems("x.cpp", line))
        self.assertFalse(sources_test.spdx_problems("x.py", "#!/usr/bin/python3\n" + line))
        self.assertTrue(sources_test.spdx_problems("x.cpp", "int x;\n\n" + line))
        self.assertTrue(sources_test.spdx_problems("x.cpp", ""))


class ProgramsTest(unittest.TestCase):
    def test_each_forbidden_library_is_found(self):
        for program, names in programs_test.FORBIDDEN.items():
            required = list(programs_test.REQUIRED[program])
            self.assertEqual(programs_test.problems(program, required), [])
            for name in names:
                self.assertTrue(programs_test.problems(program, required + [name]))
                self.assertTrue(programs_test.problems(program, required + [name + "-1.2"]))

    def test_each_missing_library_is_found(self):
        for program, names in programs_test.REQUIRED.items():
            for name in names:
                self.assertTrue(programs_test.problems(program, [other for other in names if other != name]))


class LinksTest(unittest.TestCase):
    DOCUMENTS = {
        "README.md": "# Title\n```sh\n# no heading\n```\n## What `/proc` shows, and a word\n## Twice\n## Twice\n",
        "docs/guide.md": "# Guide\n",
    }

    def problem(self, path, link):
        return links_test.problem(self.DOCUMENTS, pathlib.Path(__file__).parent, path, link)

    def test_links_that_lead_somewhere(self):
        for link in ("docs/guide.md", "docs/guide.md#guide", "#title", "#what-proc-shows-and-a-word", "#twice",
                     "#twice-1", "self_test.py"):
            self.assertIsNone(self.problem("README.md", link))
        self.assertIsNone(self.problem("docs/guide.md", "../README.md#title"))

    def test_each_link_that_leads_nowhere_is_found(self):
        for link in ("guide.md", "docs/guide.md#title", "#guide", "#no-heading", "#twice-2", "self_test.py#title",
                     "../structure/self_test.py"):
            self.assertTrue(self.problem("README.md", link), link)
        self.assertTrue(self.problem("docs/guide.md", "README.md"))

    def test_links_are_those_of_the_prose(self):
        text = ("[a](x.md) [of two\nlines](y.md#z \"title\") `[b](no.md)` [c](https://x/y.md)\n"
                "```\n[d](no.md)\n```\n[e]: z.md\n")
        self.assertEqual(links_test.links_of(text), ["x.md", "y.md#z", "z.md"])


if __name__ == "__main__":
    unittest.main()
