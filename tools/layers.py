#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which module may include which: the table, and the check that every #include keeps to it.

    tools/layers.py [ROOT]     one sentence per violation on stdout; exit code 1 if there is any
"""

import pathlib
import re
import sys

# A module may include its own headers, those of the modules named here, and of what these stand on.
MODULES = {
    "base": [],
    "core": ["base"],
    "http": ["base"],  # the codecs never see a coroutine
    "exec": ["core"],
    "observe": ["core"],
    "adapt": ["core"],  # and the library that a header of it is named after
    "net": ["core", "exec"],
    "sqlite": ["exec"],
    "wire": ["http", "net"],
    "redis": ["net"],
    "inspector": ["http", "observe"],
    "testing": ["net"],
    "web": ["wire", "exec", "observe"],
    "client": ["wire", "observe"],
    "jobs": ["http", "redis", "sqlite", "exec", "observe"],
    "testing/web": ["testing", "web", "client"],
}

# Umbrella headers under coracle/, and the modules they gather. The library itself never includes one.
UMBRELLAS = {
    "coracle.h": ["base", "core", "exec", "net", "observe"],
    "web.h": ["http", "web"],
    "client.h": ["http", "client"],
    "jobs.h": ["jobs"],
    "redis.h": ["redis"],
    "sqlite.h": ["sqlite"],
    "testing.h": ["testing"],
    "testing/web.h": ["testing/web"],
}
UMBRELLA_BASE = {name: ["coracle.h"] for name in ("web.h", "client.h", "jobs.h", "redis.h", "sqlite.h", "testing.h")}
UMBRELLA_BASE["testing/web.h"] = ["coracle.h", "web.h", "client.h", "testing.h"]

# What a module's *_test.cc may use besides. base and http are tested by plain calls.
TESTS_ALSO_USE = {name: ["testing"] for name in MODULES if name not in ("base", "http")}
TESTS_ALSO_USE |= {name: ["testing", "testing/web"] for name in ("web", "client", "jobs", "testing/web")}

# Folders of programs: they use any public header.
PROGRAMS = ("bench", "examples", "fuzz", "tests", "tools")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<(coracle/[^>]+)>|"([^"]+)")')


def closure(modules):
    reached, todo = set(), list(modules)
    while todo:
        module = todo.pop()
        if module not in reached:
            reached.add(module)
            todo += MODULES[module]
    return reached


def module_of(path):
    """The module that holds coracle/`path`; None for umbrella headers and for folders the table does not have."""
    if path in UMBRELLAS:
        return None
    for name in sorted(MODULES, key=len, reverse=True):
        if path.startswith(name + "/"):
            return name
    return None


def names(modules):
    return ", ".join(modules) if modules else "nothing"


def is_test(path):
    return re.search(r"_test\.(cc|h)$", path) is not None


class Includer:
    """The rules for one file: what `check` answers is the reason against an include, or None."""

    def __init__(self, path):
        self.path = path
        top, _, self.inner = path.partition("/")
        self.is_library = top == "coracle"
        self.module = module_of(self.inner) if self.is_library else None
        self.umbrella = self.inner if self.is_library and self.inner in UMBRELLAS else None
        self.is_test = self.is_library and is_test(path)
        if self.module is not None:
            extra = TESTS_ALSO_USE.get(self.module, []) if self.is_test else []
            self.allowed = closure([self.module, *extra])
            also = f", and in its tests {names(extra)}" if extra else ""
            self.reason = f"{self.module} may use {names(MODULES[self.module])} (and what they stand on){also}"
        elif self.umbrella is not None:
            self.allowed = set(UMBRELLAS[self.umbrella])
            self.reason = f"this umbrella gathers {names(UMBRELLAS[self.umbrella])}"
        else:
            self.allowed = set(MODULES)
            self.reason = ""

    def check_place(self):
        if self.is_library and self.module is None and self.umbrella is None:
            return f"{self.path} belongs to no module: add its folder to the table in tools/layers.py"
        return None

    def check(self, included):
        """`included` is a path below coracle/."""
        module = module_of(included)
        if included in UMBRELLAS:
            if self.umbrella is not None:
                stands_on = UMBRELLA_BASE.get(self.umbrella, [])
                if included not in stands_on:
                    return f"of the umbrellas, {self.umbrella} may include {names(stands_on)}"
            elif self.module is not None and not self.is_test:
                return "the library includes single headers, not umbrellas"
            elif self.is_test and included == "coracle.h" and self.module in TESTS_ALSO_USE:
                return None  # a test reads as a user's program does
            elif not closure(UMBRELLAS[included]) <= self.allowed:
                return self.reason
            return None
        if module is None:
            return "there is no such module in the table of tools/layers.py"
        if "/internal/" in "/" + included and module != self.module:
            return f"internal headers belong to their own module, {module}"
        if module not in self.allowed:
            return self.reason
        return None


def check_file(root, path):
    includer = Includer(path)
    place = includer.check_place()
    if place is not None:
        return [place]
    found = []
    for line in (root / path).read_text(encoding="utf-8").splitlines():
        match = INCLUDE.match(line)
        if not match:
            continue
        bracketed, quoted = match.groups()
        if quoted is not None:
            if includer.is_library or quoted.startswith("coracle/"):
                found.append(f'{path} includes "{quoted}": write <coracle/...>, the path of the file')
            continue
        reason = includer.check(bracketed.removeprefix("coracle/"))
        if reason is not None:
            found.append(f"{path} includes {bracketed}: {reason}")
    return found


def check_cmake(root):
    """The DEPENDS lists of CMakeLists.txt say what the table says, for every module that has a target."""
    cmake = root / "CMakeLists.txt"
    if not cmake.exists():
        return []
    found, targets = [], {}
    for match in re.finditer(r"coracle_module\((\w+)(?:\s+DEPENDS((?:\s+(?!LINK\b)\w+)+))?", cmake.read_text()):
        targets[match[1].replace("_", "/")] = {name.replace("_", "/") for name in (match[2] or "").split()}
    for module, depends in targets.items():
        if module not in MODULES:
            found.append(f"CMakeLists.txt has the module {module}, which the table of tools/layers.py has not")
            continue
        wanted = {name for name in MODULES[module] if name in targets}
        if depends != wanted:
            said, meant = names(sorted(depends)), names(sorted(wanted))
            found.append(f"CMakeLists.txt: {module} DEPENDS {said}; the table says {meant}")
    return found


def violations(root):
    root = pathlib.Path(root)
    found = check_cmake(root)
    for top in ("coracle", *PROGRAMS):
        for file in sorted((root / top).rglob("*")):
            if file.suffix in (".h", ".cc") and file.is_file():
                found += check_file(root, file.relative_to(root).as_posix())
    return found


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    found = violations(root)
    for sentence in found:
        print(sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
