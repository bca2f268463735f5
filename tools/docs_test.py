#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of links.py and snippets.py: a broken link and a snippet that does not compile are found and named."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import links
import snippets

RUNTIME = "#pragma once\nnamespace coracle { template <class T> struct Task; int answer(); }\n"


def tree(files, check):
    """check(root) in a folder that holds {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return check(pathlib.Path(root))


class Links(unittest.TestCase):
    def test_finds_what_leads_nowhere(self):
        files = {
            "README.md": "# A b!\n[x](docs/x.md) [y](docs/missing.md) [a](#a-b) [z](docs/x.md#no) `[c](none)`\n"
                         "[w](https://example.org/none)\n```\n[d](none)\n```\n",
            "docs/x.md": "# One\n[up](../README.md#a-b) ![p](p.png)\n",
        }
        self.assertEqual(tree(files, links.broken_links), [
            "README.md:2: docs/missing.md leads nowhere",
            "README.md:2: docs/x.md#no: no such heading",
            "docs/x.md:2: p.png leads nowhere",
        ])


class Snippets(unittest.TestCase):
    def run_on(self, page, path="README.md"):
        def check(root):
            return subprocess.run([sys.executable, HERE / "snippets.py", "--root", root],
                                  capture_output=True, text=True, check=False)

        return tree({"coracle/coracle.h": RUNTIME, path: page}, check)

    def test_accepts_what_compiles(self):
        done = self.run_on("```cpp\n#include <vector>\nint main() { std::vector<int> v{answer()};\n```\ntext\n"
                           "```cpp more\n}\n```\n```cpp\nint main() {}\n```\n```sh\nnot c++\n```\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_names_the_page_and_line_of_what_does_not(self):
        done = self.run_on("Text.\n\n```cpp\nint x = answer();\nint y = question();\n```\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("README.md:5:", done.stderr)

    def test_reads_header_comments(self):
        done = self.run_on("// Use:\n// ```cpp\n// int x = question();\n// ```\n", "coracle/base/x.h")
        self.assertEqual(done.returncode, 1)
        self.assertIn("coracle/base/x.h:3:", done.stderr)

    def test_refuses_an_unknown_kind_and_an_open_block(self):
        self.assertIn("no such kind", self.run_on("```cpp maybe\n```\n").stderr)
        self.assertIn("not closed", self.run_on("```cpp\nint x;\n").stderr)

    def test_a_body_is_a_coroutine(self):
        blocks = snippets.blocks_of("a.md", "```cpp body\nf();\n```\n")
        unit = snippets.translation_unit(pathlib.Path("/"), "a.md", blocks)
        self.assertIn('Task<void> body() {\n#line 2 "a.md"\nf();\nco_return;\n}', unit)


if __name__ == "__main__":
    unittest.main()
