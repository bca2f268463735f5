# SPDX-License-Identifier: Apache-2.0
"""What a task costs in memory that does nothing but wait: a hundred thousand of them in one group."""

import json
import subprocess
from collections.abc import Iterator

from harness import contenders, markdown, paths, programs
from harness.quartiles import Figure, figure
from harness.run import Run
from harness.store import Store

title = "A hundred thousand sleeping tasks"

TASKS = 100_000
REPEATS = 5
COMPILERS = {"release": "GCC", "clang": "Clang"}  # preset, and how the table calls it


def measure(run: Run):
    for preset in COMPILERS:
        programs.build_one(preset, "sleepers")
    for _ in range(REPEATS):
        for preset, compiler in COMPILERS.items():
            program = paths.ROOT / "build" / preset / "bench/sleepers"
            done = subprocess.run([program, str(TASKS)], check=True, capture_output=True, text=True)
            sample = json.loads(done.stdout)
            run.keep("sleepers", compiler, contenders.CORACLE, sample,
                     f"{bytes_each(sample):.0f} B per task")


def bytes_each(sample: dict) -> float:
    return (sample["during"] - sample["before"]) / sample["tasks"]


def memory(store: Store, compiler: str) -> Figure | None:
    samples = store.series("sleepers", compiler).get(contenders.CORACLE)
    return figure(map(bytes_each, samples)) if samples else None


def tables(store: Store) -> Iterator[str]:
    measured = {compiler: memory(store, compiler) for compiler in COMPILERS.values()}
    if not all(measured.values()):
        return
    yield (f"{TASKS:,} tasks in `co_await sleep(1h)`, children of one group. Resident memory of the process, all in: "
           "frames, tasks, timers, what the allocator keeps.")
    yield from markdown.table(
        ["compiler", "per task"],
        ([compiler, each.shown("{:.0f}".format) + " B"] for compiler, each in measured.items()))
