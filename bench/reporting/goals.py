# SPDX-License-Identifier: Apache-2.0
"""What the figures have to show, and whether they do."""

import dataclasses
from collections.abc import Iterator

from harness import contenders, markdown
from harness.quartiles import Figure, figure
from harness.store import Store
from subjects import compile, echo, idle, instr, micro, offload, paired, sleepers, workers


OURS, FLOOR, UVLOOP = contenders.CORACLE, contenders.FLOOR, "aiohttp_uvloop"


@dataclasses.dataclass(frozen=True)
class Goal:
    text: str
    limit: str
    measured: str | None  # None: not measured yet
    is_met: bool = False


def goals(store: Store) -> Iterator[Goal]:
    yield from _instructions(store)
    yield from _cpu(store)
    yield from _echo(store)
    yield _at_most("User memory per idle connection at 10,000", 1.0, _memory(store),
                   "{:.2f}", " KiB")
    for compiler in sleepers.COMPILERS.values():
        yield _at_most(f"Memory per sleeping task at 100,000, {compiler}", 640,
                       sleepers.memory(store, compiler), "{:.0f}", " B")
    yield from _micro(store)
    yield from _offload(store)
    yield _at_least("Two workers over one, a handler of 200 µs", 1.8, workers.speedup(store),
                    "{:.2f}", " ×")
    yield _at_most("hello world at -O0", 2.5, compile.wall(store, "hello-O0"), "{:.2f}", " s")


def _instructions(store: Store) -> Iterator[Goal]:
    counted = {work: instr.counted(store, work, OURS) for work in instr.WORKS}
    small = counted["small"]
    for work, limit in (("small", 3000), ("browser", 6000)):
        yield _at_most(f"Instructions per request, {work}", limit, _exact(counted[work]), "{:,.0f}")
    for work, path in (("json", "/json"), ("hello", "/hello/{name}")):
        more = _exact(counted[work] - small) if small and counted[work] else None
        yield _at_most(f"{path}: instructions more than small", 2000, more, "{:,.0f}")


def _cpu(store: Store) -> Iterator[Goal]:
    plain = store.series("plain", "c64-small")
    piped = store.series("pipeline", "p16-small")
    yield _at_most("CPU per request at 64 connections ÷ floor", 1.10,
                   paired.ratio(plain[OURS]) if OURS in plain else None, "{:.2f}", " ×")
    yield _at_most("CPU per request, 16 deep ÷ floor", 1.3,
                   paired.ratio(piped[OURS]) if OURS in piped else None, "{:.2f}", " ×")
    # Both were held against the floor in pairs of their own, so the floors cancel.
    cheaper = None
    if OURS in piped and UVLOOP in piped:
        cheaper = _exact(paired.ratio(piped[UVLOOP]).median / paired.ratio(piped[OURS]).median)
    yield _at_least("CPU per request, 16 deep: aiohttp + uvloop ÷ Coracle", 25, cheaper,
                    "{:.0f}", " ×")


def _echo(store: Store) -> Iterator[Goal]:
    for backend in echo.BACKENDS:
        yield _worst(f"TCP echo on {backend}, CPU per message ÷ floor", echo.GOAL,
                     echo.over_floor(store, backend))
    yield _worst("TCP echo, CPU per message on io_uring ÷ epoll", 1.0, echo.over_epoll(store))


def _worst(text: str, limit: float, by_work: dict[str, Figure]) -> Goal:
    """The one of several works that is furthest from the goal stands for all."""
    if not by_work:
        return _at_most(text, limit, None, "{:.2f}", " ×")
    work = max(by_work, key=lambda name: by_work[name].median)
    text += f", the worst of {len(by_work)}: {echo.WORKS[work].title}"
    return _at_most(text, limit, by_work[work], "{:.2f}", " ×")


def _micro(store: Store) -> Iterator[Goal]:
    for key, work in micro.WORKS.items():
        if work.goal_ns is not None:
            yield _at_most(work.title[0].upper() + work.title[1:], work.goal_ns,
                           micro.measured(store, key), "{:.1f}", " ns")
    yield _at_most("Cross-thread wake ÷ bare eventfds", micro.WAKE_RATIO_MAX,
                   micro.wake_ratio(store), "{:.2f}", " ×")


def _offload(store: Store) -> Iterator[Goal]:
    for jobs in offload.IN_FLIGHT[1:]:
        ratio = offload.ratio(offload.p99(store, "sleep", jobs, OURS),
                              offload.p99(store, "sleep", 0, OURS))
        yield _at_most(f"p99 beside {jobs} sleeping jobs ÷ unloaded", 2.0, ratio, "{:.2f}", " ×")
    for jobs in offload.IN_FLIGHT[1:]:
        ours = offload.p99(store, "spin", jobs, OURS)
        ratio = offload.ratio(ours, offload.p99(store, "spin", jobs, FLOOR))
        yield _at_most(f"p99 beside {jobs} CPU-bound jobs ÷ floor beside the same", 1.2, ratio,
                       "{:.2f}", " ×")
        theirs = [value for name in offload.PYTHONS
                  for value in offload.p99(store, "spin", jobs, name)]
        limit = figure(theirs).median if theirs else 0.0
        mine = figure(ours).median if ours and theirs else None
        yield Goal(f"p99 beside {jobs} CPU-bound jobs",
                   f"below aiohttp's {markdown.microseconds(limit)}",
                   markdown.microseconds(mine) if mine else None, bool(mine) and mine < limit)


def _memory(store: Store) -> Figure | None:
    samples = store.series("idle", "memory").get(OURS)
    return figure(map(idle.kib_each, samples)) if samples else None


def _exact(value: float | None) -> Figure | None:
    return figure([value]) if value is not None else None


def _at_most(text: str, limit: float, measured: Figure | None, form: str, unit: str = "") -> Goal:
    return _goal(text, "≤", limit, measured, form, unit, lambda median: median <= limit)


def _at_least(text: str, limit: float, measured: Figure | None, form: str, unit: str = "") -> Goal:
    return _goal(text, "≥", limit, measured, form, unit, lambda median: median >= limit)


def _goal(text, sign, limit, measured, form, unit, holds) -> Goal:
    told = f"{sign} {form.format(limit)}{unit}"
    if measured is None:
        return Goal(text, told, None)
    return Goal(text, told, measured.shown(form.format) + unit, holds(measured.median))


def table(store: Store) -> Iterator[str]:
    word = lambda goal: "–" if goal.measured is None else "met" if goal.is_met else "**missed**"
    yield from markdown.table(
        ["", "goal", "measured", ""],
        ([goal.text, goal.limit, goal.measured or "not measured", word(goal)]
         for goal in goals(store)))
