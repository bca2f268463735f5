# SPDX-License-Identifier: Apache-2.0
"""What a user pays to compile: hello world, its size, the library, and the headers that cost most."""

import json
import os
import resource
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator

from harness import contenders, headers, markdown, paths
from harness.quartiles import Figure, figure
from harness.run import Run
from harness.store import Store

title = "What a user pays to compile"

REPEATS = 5
PROGRAMS = {  # source, and how the table calls it
    "hello": (paths.BENCH / "compile/hello.cc", "Coracle hello world"),
    "beast": (paths.BENCH / "servers/beast.cc", "Boost.Beast server of this benchmark"),
}
LEVELS = ("O0", "O2")


def measure(run: Run):
    for _ in range(REPEATS):
        for program, (source, _) in PROGRAMS.items():
            for level in LEVELS:
                _keep(run, f"{program}-{level}", _timed(compile_command(source, f"-{level}")))
    for program in PROGRAMS:
        binary = paths.PROGRAMS / program
        _keep(run, f"{program}-size", {"bytes": binary.stat().st_size, "stripped": _stripped(binary)})
    _keep(run, "headers", headers.costs(compile_command(PROGRAMS["hello"][0], "-O0")))
    _keep(run, "library", _clean_build())


def compile_command(source, level: str) -> list[str]:
    """The build's own command for `source`, at another level and without its cache."""
    entries = json.loads((paths.BUILD / "compile_commands.json").read_text())
    words = next(shlex.split(e["command"]) for e in entries if e["file"] == str(source))
    if "ccache" in words[0]:
        words = words[1:]
    words = [word for word in words if not word.startswith(("-O", "-g"))]
    words[words.index("-o") + 1] = str(paths.SCRATCH / "compiled.o")
    return [*words, level]


def _timed(command: list[str], **environment: str) -> dict:
    """Wall and CPU seconds of a command that must succeed."""
    cpu = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    begin, used = time.monotonic(), cpu()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=paths.BUILD,
                   env=os.environ | environment)
    return {"wall_s": time.monotonic() - begin, "cpu_s": cpu() - used}


def _stripped(binary) -> int:
    copy = paths.SCRATCH / "stripped"
    subprocess.run(["strip", "-o", str(copy), str(binary)], check=True)
    return copy.stat().st_size


def _clean_build() -> dict:
    folder = paths.SCRATCH / "clean"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(
        ["cmake", "--preset", "release", "-B", str(folder), "-DCORACLE_TESTS=OFF",
         "-DCORACLE_EXAMPLES=OFF"], cwd=paths.ROOT, check=True, stdout=subprocess.DEVNULL)
    cost = _timed(["ninja", "-C", str(folder)], CCACHE_DISABLE="1")
    shutil.rmtree(folder)
    return cost | {"cores": os.cpu_count()}


def _keep(run: Run, work: str, sample: dict):
    told = {key: round(value, 2) for key, value in sample.items() if isinstance(value, (int, float))}
    run.keep("compile", work, contenders.CORACLE, sample, str(told or ""))


def samples(store: Store, work: str) -> list[dict]:
    return store.series("compile", work).get(contenders.CORACLE, [])


def wall(store: Store, work: str) -> Figure | None:
    measured = samples(store, work)
    return figure(s["wall_s"] for s in measured) if measured else None


def tables(store: Store) -> Iterator[str]:
    if not samples(store, "hello-O0"):
        return
    seconds = lambda value: f"{value:.2f}"
    rows = []
    for program, (_, described) in PROGRAMS.items():
        size = samples(store, f"{program}-size")[-1]
        row = [described, *(wall(store, f"{program}-{level}").shown(seconds) + " s"
                            for level in LEVELS),
               f"{size['bytes'] / 2**20:.1f} MiB", f"{size['stripped'] / 2**20:.2f} MiB"]
        rows.append(markdown.strong(row) if program == "hello" else row)
    yield "GCC, the build's own flags, no compiler cache. The library is linked statically."
    yield from markdown.table(["", "-O0", "-O2", "binary", "stripped"], rows)
    if library := samples(store, "library"):
        last = library[-1]
        yield (f"A clean build of the library: {last['wall_s']:.0f} s on {last['cores']} cores "
               f"({last['cpu_s']:.0f} s of CPU).")
        yield ""
    if cost := samples(store, "headers"):
        yield from headers.table(cost[-1])
