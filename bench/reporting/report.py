# SPDX-License-Identifier: Apache-2.0
"""bench/RESULTS.md: the goals, the plot, a table for each work, and the command behind each."""

from collections.abc import Iterator



from . import goals

from harness import paths
from harness.store import Store
from subjects import SUBJECTS

from . import goals


def render(store: Store) -> str:
    return "\n".join(_lines(store)) + "\n"


def _lines(store: Store) -> Iterator[str]:
    yield "# Results"
    yield ""
    yield from _machine(store)
    yield "Written by `bench/report`; [bench/README.md](README.md) says how each figure is taken."
    yield "Medians, with the first and third quartile in brackets. `÷ floor` is the median of ratios"
    yield "taken pair by pair within seconds of each other: it is the column to compare by; requests/s"
    yield "and latencies depend on the machine's day and on the client."
    yield ""
    yield "![The same figures as bars](results.svg)"
    yield ""
    yield "## What they have to show"
    yield from goals.table(store)
    for name, subject in SUBJECTS.items():
        if lines := list(subject.tables(store)):
            yield f"## {subject.title}"
            yield ""
            for run in store.runs(name):
                yield f"- `bench/run {name} {run['arguments']}` · {run['when']} · commit {run['commit']}"
            yield ""
            yield from lines
    notes = paths.BENCH / "NOTES.md"
    if notes.exists():
        yield notes.read_text().rstrip()


def _machine(store: Store) -> Iterator[str]:
    if not (machine := store.machine):
        return
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    yield (f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB, "
           f"{machine['system']}, Linux {machine['kernel']}.")
    yield f"{versions}. One server thread on core 0, the client on core 1, loopback."
    yield ""
