# SPDX-License-Identifier: Apache-2.0
"""Which headers a translation unit pays for, by Clang's own stopwatch (-ftime-trace).

GCC's -ftime-report knows phases but not files; Clang's trace names the file of every moment. The
shares carry over, the seconds do not, so both are shown beside Clang's total.
"""

import collections
import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator

from . import markdown, paths

SHOWN = 12
FOREIGN = ("-fcoroutines", "-Wno-restrict")  # GCC's flags that Clang does not know
PHASES = {  # as the trace names them, and as we do
    "Total Source": "reading headers",
    "Total InstantiateFunction": "instantiating functions",
    "Total Backend": "generating code",
}


def costs(gcc_command: list[str]) -> dict:
    """Seconds of each header, with and without what it includes, of the phases and of the whole."""
    words = ["clang++-19", *(w for w in gcc_command[1:] if w not in FOREIGN), "-ftime-trace"]
    subprocess.run(words, check=True, cwd=paths.BUILD)
    events = json.loads((paths.SCRATCH / "compiled.json").read_text())["traceEvents"]
    totals = {e["name"]: e["dur"] / 1e6 for e in events if e["name"].startswith("Total ")}
    return {
        "total_s": totals["Total ExecuteCompiler"],
        "phases_s": {title: totals.get(name, 0.0) for name, title in PHASES.items()},
        "headers": self_times(_sources(events)),
    }


def _sources(events: list[dict]) -> Iterator[tuple[int, int, str]]:
    """Start and length in microseconds, and the file: the trace has a beginning, then its end."""
    for event in events:
        if event["name"] == "Source" and event["ph"] == "b":
            begin = event
        elif event["name"] == "Source":
            yield begin["ts"], event["ts"] - begin["ts"], begin["args"]["detail"]


def self_times(sources: Iterable[tuple[int, int, str]]) -> list[dict]:
    """Events nest by time: what a file includes lies within it."""
    found: dict[str, dict] = {}
    open_files: list[tuple[int, dict]] = []
    for start, length, path in sorted(sources, key=lambda s: (s[0], -s[1])):
        while open_files and open_files[-1][0] <= start:
            open_files.pop()
        entry = found.setdefault(path, {"path": _included_as(path), "whole_s": 0.0, "own_s": 0.0})
        entry["whole_s"] += length / 1e6
        entry["own_s"] += length / 1e6
        if open_files:
            open_files[-1][1]["own_s"] -= length / 1e6
        open_files.append((start + length, entry))
    return sorted(found.values(), key=lambda entry: -entry["whole_s"])


def _included_as(path: str) -> str:
    path = os.path.normpath(path)
    for prefix in (f"{paths.ROOT}/", "/usr/include/"):
        path = path.removeprefix(prefix)
    return re.sub(r"^(\w+-linux-gnu/)?(c\+\+/\d+/)?", "", path)


def _family(path: str) -> str:
    if path.startswith("coracle/"):
        return "ours"
    return "Boost" if path.startswith("boost/") else "the standard library and the system"


def table(cost: dict) -> Iterator[str]:
    total = cost["total_s"]
    phases = ", ".join(f"{seconds:.2f} s {title}" for title, seconds in cost["phases_s"].items())
    families: collections.Counter[str] = collections.Counter()
    for entry in cost["headers"]:
        families[_family(entry["path"])] += entry["own_s"]
    shares = ", ".join(f"{title} {seconds:.2f} s" for title, seconds in families.most_common())
    yield (f"Where hello world's time goes, by Clang 19 at -O0: {total:.2f} s in all, of it "
           f"{phases}. The headers by whose they are: {shares}. What a header includes is charged "
           "to the first that includes it:")
    for title, is_ours in (("ours", True), ("others", False)):
        chosen = [e for e in cost["headers"] if (_family(e["path"]) == "ours") == is_ours
                  and not re.search(r"(^|/)(bits|detail|impl|ext)/", e["path"])][:SHOWN]
        if not chosen:
            continue
        yield from markdown.table(
            [title, "with includes", "share", "own"],
            ([f"`{e['path']}`", f"{e['whole_s'] * 1000:.0f} ms", f"{e['whole_s'] / total:.0%}",
              f"{e['own_s'] * 1000:.0f} ms"] for e in chosen))
