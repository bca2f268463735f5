#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules about the text of the sources that no compiler checks.

    tools/tidy.py [ROOT]     one line per violation on stdout; exit code 1 if there is any

A rule about code yields to a comment on its line, or in its block, that gives the reason:  // tidy: REASON
"""

import os
import pathlib
import re
import sys

LINES_MAX = 700
COLUMNS_MAX = 120  # of scripts; the formatter keeps C++ to 100
SKIPPED_FOLDERS = {"build", ".git", "__pycache__", "node_modules"}
TEXT_SUFFIXES = {".h", ".cc", ".py", ".sh", ".md", ".txt", ".cmake", ".in", ".json", ".html", ".js", ".css", ".lua", ""}

# Headers of the language, with their C twins; headers of the system are those below.
STANDARD = set(
    """
    algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono
    cinttypes climits clocale cmath compare complex concepts condition_variable coroutine csetjmp csignal
    cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution
    filesystem format forward_list fstream functional future initializer_list iomanip ios iosfwd iostream
    istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric optional
    ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex source_location span
    sstream stack stdexcept stop_token streambuf string string_view syncstream system_error thread tuple
    type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
    cxxabi.h immintrin.h emmintrin.h nmmintrin.h smmintrin.h arm_neon.h
    """.split()
)
SYSTEM = re.compile(r"(sys|netinet|arpa|net|linux|asm|bits)/[\w/]+\.h|(aio|dirent|dlfcn|elf|errno|execinfo|fcntl|"
                    r"getopt|grp|ifaddrs|limits|link|malloc|math|netdb|poll|pthread|pwd|sched|semaphore|signal|spawn|"
                    r"stdarg|stddef|stdint|stdio|stdlib|string|syslog|termios|time|ucontext|unistd|features)\.h")
# Public headers may show these two libraries where json<T> needs them.
JSON_HEADER = re.compile(r"json[\w]*\.h$")
JSON_INCLUDE = re.compile(r"boost/(json|describe|mp11)\b")
# Each header in here is for users of the library that it is named after, and no other includes it.
ADAPTORS = "coracle/adapt/"

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:work|root|farm)/|(?<![\w.$}])/home/[a-z]+/|/tmp/bash[_]")
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K|unimplement[e]d|not implement[e]d)\b")
SKIPPED_TEST = re.compile(r"\bGTEST_SK[I]P\b|\bDISABLE[D]_")
SLEEP = re.compile(r"\bsleep_(for|until)\s*\(|\b(usleep|nanosleep)\s*\(|::sleep\s*\(")
LOCK = re.compile(r"\bstd::(lock_guard|unique_lock|scoped_lock|shared_lock)\b")
AWAIT = re.compile(r"\bco_(await|yield)\b")
CATCH_ALL = re.compile(r"\bcatch\s*\(\s*\.\.\.\s*\)\s*(?=\{)")
OPT_OUT = re.compile(r"//\s*tidy: \w")

TOKEN = re.compile(
    r'R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'  # raw string
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"  # not a digit separator
    r"|//[^\n]*"
    r"|/\*.*?\*/",
    re.DOTALL,
)


def code_of(text):
    """`text` with comments and the contents of literals blanked, every character still at its place."""

    def blank(match):
        kept = re.sub(r"[^\n]", " ", match[0])
        return kept if match[0][0] == "/" else '"' + kept[1:-1] + '"'

    return TOKEN.sub(blank, text)


def line_at(text, index):
    return text.count("\n", 0, index) + 1


def block_end(code, opening):
    """Index of the brace that closes the one at `opening`."""
    depth = 0
    for index in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[index], 0)
        if depth == 0:
            return index
    return len(code)


def enclosing_function(code, index):
    """(start, end) of the innermost function or lambda body around `index`, or None."""
    depth = 0
    for at in range(index, -1, -1):
        if code[at] == "}":
            depth += 1
        elif code[at] == "{":
            if depth > 0:
                depth -= 1
            elif is_function_head(code[:at]):
                return at, block_end(code, at)
    return None


def is_function_head(before):
    """Whether the text before a brace ends as a function's head does: `name(...) const -> T`, not `if (...)`."""
    head = re.search(r"\)\s*(?:const|noexcept|override|final|mutable|&|\s)*(?:->[^;{}()]*)?(?::[^;{}]*)?$", before)
    if not head:
        return before.rstrip().endswith("]")  # [&] { ... }
    depth = 0
    for at in range(head.start(), -1, -1):
        depth += {")": 1, "(": -1}.get(before[at], 0)
        if depth == 0:
            return re.search(r"\b(if|for|while|switch|catch|constexpr)\s*$", before[:at]) is None
    return False


def check_catch_all(text, code):
    for match in CATCH_ALL.finditer(code):
        opening = match.end()
        closing = block_end(code, opening)
        body = code[opening + 1 : closing]
        line_end = text.find("\n", closing)
        excused = OPT_OUT.search(text[match.start() : line_end]) or "std::current_exception()" in body
        if not re.search(r"\bthrow\s*;\s*$", body) and not excused:
            yield line_at(code, match.start()), "catch (...) must end in throw; or it swallows Cancelled"


def check_locks(text, code):
    lines = text.splitlines()
    for match in LOCK.finditer(code):
        function = enclosing_function(code, match.start())
        line = line_at(code, match.start())
        if function and AWAIT.search(code[function[0] : function[1]]) and not OPT_OUT.search(lines[line - 1]):
            yield line, f"{match[0]} in a function that awaits: the lock may be held across a suspension"


def include_kind(name):
    """0 Coracle's own, 1 third party, 2 the language's and the system's."""
    if name.startswith("coracle/"):
        return 0
    return 2 if name in STANDARD or SYSTEM.fullmatch(name) else 1


def check_includes(path, text, files):
    is_header = path.endswith(".h")
    # A program's quoted include of its neighbour has no place in the order.
    includes = [
        (number, match[1])
        for number, line in enumerate(text.splitlines(), 1)
        if (match := INCLUDE.match(line)) and match[1]
    ]
    if path.startswith("coracle/") and is_header:
        for number, name in includes:
            json = JSON_HEADER.search(path) and JSON_INCLUDE.match(name)
            if include_kind(name) == 1 and not json and not path.startswith(ADAPTORS):
                yield number, (f"<{name}>: no third-party header in a header (Boost.JSON and Describe only in json*.h, "
                               f"an adapted library only in {ADAPTORS})")
    own = own_header(path, files)
    if own and includes and includes[0][1] != own:
        yield includes[0][0], f"the first include must be its own header, <{own}>"
    highest = 0
    for number, name in includes:
        kind = include_kind(name)
        if kind < highest:
            yield number, f"<{name}>: order is own header, <coracle/...>, third party, std"
            break
        highest = max(highest, kind)


def own_header(path, files):
    """The header a .cc implements or tests: beside it, or in the folder's internal/."""
    if not path.endswith(".cc") or not path.startswith("coracle/"):
        return None
    folder, name = os.path.split(re.sub(r"(_test)?\.cc$", ".h", path))
    for candidate in (f"{folder}/{name}", f"{folder}/internal/{name}"):
        if candidate in files:
            return candidate
    return None


def check_opening(path, lines, files):
    """The licence line, then what the file is for. A .cc that has a header says it there."""
    start = 1 if lines and lines[0].startswith("#!") else 0
    mark = "//" if path.endswith((".h", ".cc")) else "#"
    if len(lines) <= start or lines[start] != f"{mark} SPDX-License-Identifier: Apache-2.0":
        yield start + 1, f"must open with: {mark} SPDX-License-Identifier: Apache-2.0"
        return
    if path.endswith("_test.cc") or own_header(path, files):
        return
    purpose = lines[start + 1] if len(lines) > start + 1 else ""
    if not re.match(r'(//|#|""") ?\S' if mark == "#" else r"// \S", purpose) or purpose.startswith("#include"):
        yield start + 2, "the second line must say in one line what the file is for"


def check_file(path, text, files):
    lines = text.splitlines()
    suffix = pathlib.PurePath(path).suffix
    is_cpp = suffix in (".h", ".cc")
    is_script = suffix in (".py", ".sh") or text.startswith("#!")
    is_test = path.endswith("_test.cc")
    if is_cpp or is_script:
        yield from check_opening(path, lines, files)
    for number, line in enumerate(lines, 1):
        if is_script and len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns; at most {COLUMNS_MAX}"
        if MACHINE_PATH.search(line):
            yield number, "a path of one machine"
        if UNFINISHED.search(line) and (is_cpp or is_script or suffix == ".md"):
            yield number, "an unfinished mark: finish it, or say what is missing in an issue"
        if is_cpp and SKIPPED_TEST.search(line):
            yield number, "a skipped or disabled test"
    if not is_cpp:
        return
    code = code_of(text)
    if suffix == ".h" and "#pragma once" not in lines:
        yield 1, "a header needs #pragma once"
    if len(lines) > LINES_MAX and not is_test:
        yield 1, f"{len(lines)} lines: more than one noun by now? (at most {LINES_MAX})"
    if is_test:
        for number, (line, code_line) in enumerate(zip(lines, code.splitlines()), 1):
            if SLEEP.search(code_line) and not OPT_OUT.search(line):
                yield number, "a test that sleeps: use the virtual clock, or wait for the event itself"
    yield from check_catch_all(text, code)
    yield from check_locks(text, code)
    yield from check_includes(path, text, files)


def check_folders(files):
    """Module folders, and the folders of programs, open with a README."""
    folders = set()
    for path in files:
        parts = path.split("/")
        if parts[0] == "coracle" and len(parts) > 2:
            folders.add("/".join(parts[:2]))
            if parts[1:3] == ["testing", "web"] and len(parts) > 3:
                folders.add("coracle/testing/web")
        elif len(parts) > 1 and parts[0] in ("bench", "changes", "docs", "examples", "fuzz", "tests", "tools"):
            folders.add(parts[0])
    for folder in sorted(folders):
        if f"{folder}/README.md" not in files:
            yield folder, 1, "has no README.md"


def text_files(root):
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            file = pathlib.Path(folder, name)
            if file.suffix in TEXT_SUFFIXES and file.is_file() and not file.is_symlink():
                yield file.relative_to(root).as_posix()


def violations(root):
    root = pathlib.Path(root)
    files = set(text_files(root))
    found = [f"{path}:{line}: {what}" for path, line, what in check_folders(files)]
    for path in sorted(files):
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # not text: a corpus file
        found += [f"{path}:{line}: {what}" for line, what in check_file(path, text, files)]
    return found


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    found = violations(root)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
