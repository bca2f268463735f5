#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles the C++ shown in README.md, docs/ and header comments, so that what a reader copies compiles.

    tools/snippets.py [--root ROOT] [--compiler CXX]    one compiler run per page; exit code 1 if one fails
    tools/snippets.py --print FILE                      what would be compiled for one page

A fenced block says what it is in its first line:
    ```cpp          declarations, or a whole program
    ```cpp body     statements of a coroutine
    ```cpp more     the rest of the block before it (a page that explains a program in pieces)
Anything else a page wants to show, such as code that must not compile, is fenced as ```text. In a header, a block
stands in a // comment. All blocks of a page share one file, each in a namespace of its own, after the umbrella headers
and `using namespace coracle`.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

UMBRELLAS = ["coracle/coracle.h", "coracle/web.h", "coracle/client.h", "coracle/testing.h"]
STANDARD = ["chrono", "cstdio", "filesystem", "iostream", "map", "memory", "optional", "string", "thread", "vector"]
KINDS = {"", "body", "more"}
FENCE = re.compile(r"```cpp\b[ ]*(.*)$")


class Block:
    def __init__(self, line, kind):
        self.line = line  # of its first line of code
        self.kind = kind
        self.code = []


def blocks_of(path, text):
    """The ```cpp blocks of a page or of a header's comments, `more` joined to what it continues."""
    blocks, current = [], None
    is_header = path.endswith(".h")
    for number, line in enumerate(text.splitlines(), 1):
        if is_header:
            comment = re.match(r"\s*// ?(.*)$", line)
            line = comment[1] if comment else ""
        fence = FENCE.match(line.strip())
        if current is not None:
            if line.strip() == "```":
                current = None
            else:
                current.code.append((number, line))
        elif fence:
            kind = fence[1].strip()
            if kind not in KINDS:
                raise SystemExit(f"{path}:{number}: no such kind: 'cpp {kind}'; there are cpp, cpp body, cpp more")
            if kind == "more":
                if not blocks:
                    raise SystemExit(f"{path}:{number}: 'cpp more' with nothing before it")
                current = blocks[-1]
            else:
                current = Block(number + 1, kind)
                blocks.append(current)
    if current is not None:
        raise SystemExit(f"{path}: a block is not closed")
    return blocks


def translation_unit(root, path, blocks):
    """One source file for all blocks, with #line so that errors name the page."""
    lines = [f"#include <{name}>" for name in UMBRELLAS if (root / name).exists()]
    lines += [f"#include <{name}>" for name in STANDARD]
    included = []
    for block in blocks:
        for number, text in block.code:
            if text.lstrip().startswith("#include"):
                included += [f'#line {number} "{path}"', text]
    lines += included
    for index, block in enumerate(blocks):
        lines.append(f"namespace snippet_{index} {{")
        lines.append("using namespace coracle;")
        if block.kind == "body":
            lines.append("[[maybe_unused]] Task<void> body() {")
        expected = None
        for number, text in block.code:
            if text.lstrip().startswith("#include"):
                continue
            if number != expected:
                lines.append(f'#line {number} "{path}"')
            lines.append(text)
            expected = number + 1
        if block.kind == "body":
            lines += ["co_return;", "}"]
        lines.append(f"}}  // namespace snippet_{index}")
    return "\n".join(lines) + "\n"


def pages(root):
    found = [root / "README.md", root / "CONTRIBUTING.md"]
    for folder, pattern in (("docs", "*.md"), ("coracle", "*.md"), ("examples", "*.md"), ("coracle", "*.h")):
        found += sorted((root / folder).rglob(pattern))
    return [page for page in found if page.is_file()]


def compile_page(compiler, root, page):
    """None when the page has no block, else (page, exit code, what the compiler said)."""
    path = page.relative_to(root).as_posix()
    blocks = blocks_of(path, page.read_text(encoding="utf-8"))
    if not blocks:
        return None
    # Snippets stop where the reader has understood: an unused variable is no fault of theirs.
    # And main() may end without a return, but not inside a namespace; a local type in a coroutine's frame is no fault.
    quiet = ["unused", "return-type", "missing-field-initializers", "subobject-linkage", "unknown-warning-option"]
    warnings = ["-Wall", "-Wextra", "-Werror", *(f"-Wno-{name}" for name in quiet)]
    done = subprocess.run(
        [compiler, "-std=c++20", "-fsyntax-only", *warnings, f"-I{root}", "-x", "c++", "-"],
        input=translation_unit(root, path, blocks), text=True, capture_output=True, check=False,
    )
    return path, done.returncode, done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    parser.add_argument("--print", metavar="FILE", type=pathlib.Path)
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    if arguments.print:
        page = arguments.print.resolve()
        path = page.relative_to(root).as_posix()
        print(translation_unit(root, path, blocks_of(path, page.read_text(encoding="utf-8"))), end="")
        return 0
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(lambda page: compile_page(arguments.compiler, root, page), pages(root)):
            if result is not None and result[1] != 0:
                failed += 1
                print(f"{result[0]}: a snippet does not compile\n{result[2]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
