# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""What the structure's tests must find, and what not."""

import unittest

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
            self.good(f"{process}/x.cpp", "protocol/channel.h")
            self.good(f"{process}/x.h", "common/fd.h")
            self.bad("protocol/x.cpp", f"{process}/y.h")
            self.bad("common/x.h", f"{process}/y.h")
            for other in sources_test.PROCESSES:
                if other != process:
                    self.bad(f"{process}/x.cpp", f"{other}/y.h")
        self.bad("common/x.cpp", "protocol/channel.h")
        self.good("protocol/x.cpp", "common/fd.h")
        self.bad("matcher/x.cpp", "../scanner/y.h")

    def test_libraries(self):
        own = {
            "yaml-cpp/yaml.h": "matcher",
            "re2/re2.h": "matcher",
            "pugixml.hpp": "matcher",
            "libvirt/libvirt.h": "actuator",
            "libudev.h": "scanner",
            "capnp/message.h": "protocol",
            "kj/exception.h": "protocol",
            "protocol/schema/matcher_to_scanner.capnp.h": "protocol",
            "seccomp.h": "common",
            "protocol/frame.h": "protocol",
        }
        for header, owner in own.items():
            for folder in sources_test.FOLDERS:
                (self.good if folder == owner else self.bad)(f"{folder}/x.cpp", header)
        self.bad("supervisor/x.cpp", "systemd/sd-daemon.h")

    def test_public_headers(self):
        text = "#include <capnp/message.h>\n"
        self.assertTrue(sources_test.public_header_problems("protocol/device.h", text))
        self.assertFalse(sources_test.public_header_problems("protocol/frame.h", text))
        self.assertFalse(sources_test.public_header_problems("protocol/device.cpp", text))

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


if __name__ == "__main__":
    unittest.main()
