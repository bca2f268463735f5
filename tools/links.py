#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every relative link in the Markdown files leads to a file, and to a heading where it names one.

    tools/links.py [ROOT]     one line per broken link on stdout; exit code 1 if there is any
"""

import os
import pathlib
import re
import sys
import urllib.parse

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^()\s]+)(?:\s+\"[^\"]*\")?\)|!\[[^\]]*\]\(([^()\s]+)\)")
SKIPPED_FOLDERS = {"build", ".git", "node_modules"}


def without_code(text):
    """Lines of `text`, those in fenced blocks emptied and `code` spans blanked."""
    fenced = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            yield ""
        else:
            yield "" if fenced else re.sub(r"`[^`]*`", lambda span: " " * len(span[0]), line)


def anchors(text):
    """What the headings of `text` are called in links."""
    names = set()
    fenced = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        match = None if fenced else re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if match:
            words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).lower())
            name, number = words.replace(" ", "-"), 1
            unique = name
            while unique in names:
                unique, number = f"{name}-{number}", number + 1
            names.add(unique)
    return names


def broken_links(root):
    root = pathlib.Path(root)
    found = []
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if name not in SKIPPED_FOLDERS)
        for name in sorted(files):
            if name.endswith(".md"):
                found += broken_links_of(root, pathlib.Path(folder, name))
    return found


def broken_links_of(root, page):
    text = page.read_text(encoding="utf-8")
    for number, line in enumerate(without_code(text), 1):
        for match in LINK.finditer(line):
            target = urllib.parse.unquote(match[1] or match[2])
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            if not file.exists():
                yield f"{page.relative_to(root)}:{number}: {target} leads nowhere"
            elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
                yield f"{page.relative_to(root)}:{number}: {target}: no such heading"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    found = broken_links(root)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
