# SPDX-License-Identifier: Apache-2.0
"""Which headers a translation unit pays for, by Clang's own stopwatch (-ftime-trace).

GCC's -ftime-report knows phases but not files; Clang's trace names the file of every moment. The
shares carry over, the seconds do not, so both are shown beside Clang's total.
"""

import json
import subprocess
from collections.abc import Iterator

from . import markdown, paths

SHOWN = 12
FOREIGN = ("-fcoroutines",)  # GCC's flags that Clang does not know


def costs(gcc_command: list[str]) -> dict:
    """Seconds of each header, with and without what it includes, and of the whole."""
    words = ["clang++-19", *(w for w in gcc_command[1:] if w not in FOREIGN), "-ftime-trace"]
    subprocess.run(words, check=True, cwd=paths.BUILD)
    trace = (paths.SCRATCH / "compiled.json").read_text()
    events = json.loads(trace)["traceEvents"]
    total = next(e["dur"] for e in events if e["name"] == "Total ExecuteCompiler")
    sources = [(e["ts"], e["dur"], e["args"]["detail"]) for e in events if e["name"] == "Source"]
    return {"total_s": total / 1e6, "headers": _self_times(sources)}


def _self_times(sources: list[tuple[int, int, str]]) -> list[dict]:
    """Events nest by time: what a file includes lies within it."""
    found: dict[str, dict] = {}
    open_files: list[tuple[int, dict]] = []
    for start, length, path in sorted(sources, key=lambda s: (s[0], -s[1])):
        while open_files and open_files[-1][0] <= start:
            open_files.pop()
        entry = found.setdefault(path, {"path": _short(path), "whole_s": 0.0, "own_s": 0.0})
        entry["whole_s"] += length / 1e6
        entry["own_s"] += length / 1e6
        if open_files:
            open_files[-1][1]["own_s"] -= length / 1e6
        open_files.append((start + length, entry))
    return sorted(found.values(), key=lambda entry: -entry["own_s"])


def _short(path: str) -> str:
    for prefix in (f"{paths.ROOT}/", "/usr/include/c++/12/", "/usr/include/"):
        path = path.split(prefix)[-1]
    return path.removeprefix("x86_64-linux-gnu/")


def table(cost: dict) -> Iterator[str]:
    total = cost["total_s"]
    yield (f"The headers that hello world pays for most, by Clang 19 at -O0 ({total:.2f} s in all); "
           "\"own\" is without what they include, template instantiations not counted:")
    by_own = sorted(cost["headers"], key=lambda e: -e["own_s"])[:SHOWN]
    yield from markdown.table(
        ["header", "own", "share", "with includes"],
        ([f"`{e['path']}`", f"{e['own_s'] * 1000:.0f} ms", f"{e['own_s'] / total:.0%}",
          f"{e['whole_s'] * 1000:.0f} ms"] for e in by_own))
    ours = [e for e in sorted(cost["headers"], key=lambda e: -e["whole_s"])
            if e["path"].startswith("coracle/")][:SHOWN]
    yield "And of ours, with all that each is the first to include:"
    yield from markdown.table(
        ["header", "with includes", "share"],
        ([f"`{e['path']}`", f"{e['whole_s'] * 1000:.0f} ms", f"{e['whole_s'] / total:.0%}"]
         for e in ours))
