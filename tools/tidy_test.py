#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of tidy.py: each rule finds its known-bad text and passes the good one."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tidy

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
OPENING = SPDX + "// What it is for.\n"
HEADER = OPENING + "#pragma once\n"


def check(files):
    """Violations in a tree of {path: text}, the missing folder READMEs apart."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tidy.violations(root)


def check_one(path, text):
    return [line for line in check({path: text}) if "README" not in line]


class Tidy(unittest.TestCase):
    def refuses(self, text, line, words, path="coracle/base/x.cc"):
        found = check_one(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{path}:{line}: "), found)
        self.assertIn(words, found[0])

    def accepts(self, text, path="coracle/base/x.cc"):
        self.assertEqual(check_one(path, text), [])

    def test_catch_all_ends_in_throw_or_keeps_the_exception_or_says_why(self):
        self.refuses(OPENING + "void f() {\n  try { g(); } catch (...) { log(); }\n}\n", 4, "Cancelled")
        self.refuses(OPENING + "void f() {\n  try { g(); } catch (...) { if (a) throw; b(); }\n}\n", 4, "Cancelled")
        self.refuses(OPENING + 'void f() {\n  try { g(); } catch (...) { log("throw;"); /*throw;*/ }\n}\n', 4, "throw;")
        self.accepts(OPENING + "void f() {\n  try { g(); } catch (...) { if (a) { b(); } throw; }\n}\n")
        self.accepts(OPENING + "void f() {\n  try { g(); } catch (...) { error = std::current_exception(); }\n}\n")
        self.accepts(OPENING + "void f() {\n  try { g(); } catch (...) { log(); }  // tidy: end of a thread\n}\n")

    def test_lock_in_a_function_that_awaits(self):
        awaits = "Task<void> h() {\n  co_await g();\n}\n"
        lock = "  if (a) {\n    std::lock_guard lock(mutex);\n  }\n"
        self.refuses(OPENING + "Task<void> f(int a) {\n" + lock + "  co_await g();\n}\n", 5, "suspension")
        self.refuses(OPENING + "auto f = [&]() -> Task<void> {\n" + lock + "  co_await g();\n};\n", 5, "suspension")
        self.accepts(OPENING + "void f(int a) {\n" + lock + "}\n" + awaits)
        self.accepts(OPENING + "namespace n {\nvoid X::f(int a) const noexcept {\n" + lock + "}\n" + awaits + "}\n")
        self.accepts(OPENING + "Task<void> f() {\n  g([&] { std::lock_guard lock(mutex); });\n  co_await h();\n}\n")

    def test_opening_lines(self):
        self.refuses("#include <vector>\n", 1, "SPDX")
        self.refuses(SPDX + "#include <vector>\n", 2, "what the file is for")
        self.refuses(SPDX + "#pragma once\n", 2, "what the file is for", "coracle/base/x.h")
        self.refuses("#!/usr/bin/env bash\nset -e\n", 2, "SPDX", "tools/x.sh")
        self.accepts("#!/usr/bin/env bash\n# SPDX-License-Identifier: Apache-2.0\n# What for.\n", "tools/x.sh")
        self.accepts(SPDX + "#include <vector>\n", "coracle/base/x_test.cc")

    def test_headers(self):
        self.refuses(OPENING + "class X;\n", 1, "#pragma once", "coracle/base/x.h")
        self.refuses(HEADER + "#include <fmt/format.h>\n", 4, "third-party", "coracle/base/x.h")
        self.refuses(HEADER + "#include <boost/json.hpp>\n", 4, "third-party", "coracle/web/app.h")
        self.accepts(HEADER + "#include <boost/json.hpp>\n", "coracle/web/json.h")
        self.accepts(HEADER + "#include <boost/asio/post.hpp>\n", "coracle/adapt/asio.h")
        self.accepts(HEADER + "#include <sys/epoll.h>\n#include <vector>\n", "coracle/base/x.h")

    def test_order_of_includes(self):
        files = {"coracle/base/x.h": HEADER, "coracle/base/README.md": ""}
        good = "#include <coracle/base/x.h>\n\n#include <coracle/base/y.h>\n#include <fmt/core.h>\n#include <vector>\n"
        self.assertEqual(check({**files, "coracle/base/x.cc": OPENING + good}), [])
        wrong_first = OPENING + "#include <coracle/base/y.h>\n#include <coracle/base/x.h>\n"
        self.assertIn("own header", check({**files, "coracle/base/x_test.cc": wrong_first})[0])
        self.refuses(OPENING + "#include <vector>\n#include <fmt/core.h>\n", 4, "order is")

    def test_text_of_any_file(self):
        self.refuses("See /" + "work/main.\n", 1, "one machine", "docs.md")
        self.refuses("a\nTO" + "DO later\n", 2, "unfinished", "docs.md")
        self.refuses(OPENING + "GTEST_SK" + "IP();\n", 3, "skipped", "coracle/base/x_test.cc")
        self.refuses(OPENING + "std::this_thread::sleep_for(1s);\n", 3, "sleeps", "coracle/base/x_test.cc")
        self.accepts(OPENING + "usleep(1);  // tidy: blocks on purpose\n", "coracle/base/x_test.cc")
        self.refuses(OPENING + "int x;\n" * 700, 1, "702 lines")
        self.accepts(OPENING + "int x;\n" * 1000, "coracle/base/x_test.cc")

    def test_literals_and_comments_are_not_code(self):
        self.accepts(OPENING + 'auto a = R"(catch (...) { })"; auto b = "catch (...) {}"; // catch (...) {}\n')
        self.accepts(OPENING + "int a = 1'000'000; char c = '{'; char d = '\\''; char e = '\"';\n")

    def test_folders_have_a_readme(self):
        self.assertEqual(check({"coracle/base/x.h": HEADER}), ["coracle/base:1: has no README.md"])
        self.assertEqual(check({"coracle/base/x.h": HEADER, "coracle/base/README.md": "base\n"}), [])


if __name__ == "__main__":
    unittest.main()
