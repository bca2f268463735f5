#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of layers.py: each kind of wrong include is refused with its sentence, each right one passes."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import layers


def check(files):
    """Violations in a tree of {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return layers.violations(root)


class Layers(unittest.TestCase):
    def refuses(self, path, included, sentence):
        self.assertEqual(check({path: f"#include <{included}>\n"}), [sentence])

    def accepts(self, path, included):
        self.assertEqual(check({path: f"#include <{included}>\n"}), [])

    def test_refuses_a_sibling(self):
        self.refuses(
            "coracle/web/router.cc",
            "coracle/client/session.h",
            "coracle/web/router.cc includes coracle/client/session.h: "
            "web may use wire, exec, observe (and what they stand on)",
        )

    def test_refuses_an_upward_include_also_with_spaces(self):
        self.assertEqual(
            check({"coracle/base/log.h": " #  include <coracle/core/task.h>\n"}),
            ["coracle/base/log.h includes coracle/core/task.h: base may use nothing (and what they stand on)"],
        )

    def test_accepts_what_the_allowed_modules_stand_on(self):
        self.accepts("coracle/web/router.cc", "coracle/base/bytes.h")
        self.accepts("coracle/web/router.cc", "coracle/web/internal/trie.h")

    def test_refuses_another_modules_internal_header_even_in_programs(self):
        sentence = "internal headers belong to their own module, core"
        for path in ("coracle/net/tcp.cc", "coracle/net/tcp_test.cc", "examples/hello.cc", "fuzz/h1.cc"):
            self.refuses(path, "coracle/core/internal/frame.h",
                         f"{path} includes coracle/core/internal/frame.h: {sentence}")

    def test_tests_may_use_testing_and_other_files_may_not(self):
        self.accepts("coracle/core/queue_test.cc", "coracle/testing/virtual_clock.h")
        self.accepts("coracle/core/queue_test.cc", "coracle/testing.h")
        self.accepts("coracle/core/queue_test.cc", "coracle/coracle.h")
        self.assertEqual(len(check({"coracle/base/log_test.cc": "#include <coracle/coracle.h>\n"})), 1)
        self.accepts("coracle/web/router_test.cc", "coracle/testing/web/client.h")
        self.assertEqual(len(check({"coracle/core/queue.cc": "#include <coracle/testing/virtual_clock.h>\n"})), 1)
        self.assertEqual(len(check({"coracle/core/queue_test.cc": "#include <coracle/testing/web/client.h>\n"})), 1)
        self.assertEqual(len(check({"coracle/http/date_test.cc": "#include <coracle/testing.h>\n"})), 1)

    def test_the_library_does_not_include_umbrellas_and_programs_may(self):
        self.refuses("coracle/web/router.cc", "coracle/coracle.h", "coracle/web/router.cc includes coracle/coracle.h: "
                     "the library includes single headers, not umbrellas")
        self.accepts("examples/hello.cc", "coracle/web.h")
        self.accepts("coracle/web.h", "coracle/coracle.h")
        self.accepts("coracle/web.h", "coracle/web/app.h")
        self.assertEqual(len(check({"coracle/web.h": "#include <coracle/client/session.h>\n"})), 1)
        self.assertEqual(len(check({"coracle/coracle.h": "#include <coracle/web.h>\n"})), 1)

    def test_refuses_unknown_folders_and_relative_includes(self):
        self.assertEqual(check({"coracle/misc/x.h": ""}),
                         ["coracle/misc/x.h belongs to no module: add its folder to the table in tools/layers.py"])
        self.refuses("examples/hello.cc", "coracle/misc/x.h", "examples/hello.cc includes coracle/misc/x.h: "
                     "there is no such module in the table of tools/layers.py")
        self.assertEqual(check({"coracle/web/a.cc": '#include "b.h"\n'}),
                         ['coracle/web/a.cc includes "b.h": write <coracle/...>, the path of the file'])

    def test_cmake_must_say_the_same(self):
        self.assertEqual(check({"CMakeLists.txt": "coracle_module(base)\ncoracle_module(core DEPENDS base)\n"}), [])
        self.assertEqual(check({"CMakeLists.txt": "coracle_module(base)\ncoracle_module(core LINK PRIVATE z)\n"}),
                         ["CMakeLists.txt: core DEPENDS nothing; the table says base"])

    def test_the_table_has_no_cycle(self):
        def depth(module, seen):
            self.assertNotIn(module, seen)
            for below in layers.MODULES[module]:
                depth(below, seen + [module])

        for module in layers.MODULES:
            depth(module, [])


if __name__ == "__main__":
    unittest.main()
