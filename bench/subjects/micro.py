# SPDX-License-Identifier: Apache-2.0
"""What the smallest operations of the runtime cost, in nanoseconds, beside its rivals.

A program of micro/ for each contender, each work in a process of its own, all of them in turns: one
repetition of a work by everybody, then of the next work, the other way round every other time. One
thread on core 0; `wake` has two threads, on cores 0 and 1.
"""

import dataclasses
import json
import subprocess
from collections.abc import Iterator

from harness import contenders, markdown, paths, programs
from harness.quartiles import Figure, figure
from harness.run import Run
from harness.server import CLIENT_CORE, SERVER_CORE
from harness.store import Store

title = "The smallest operations of the runtime"

OURS, CLANG, BARE = contenders.CORACLE, "coracle_clang", "eventfd"

_FUNCTION = ("its task is a function that runs to its end: it cannot wait, gives no result, and nothing knows its name "
             "or where it was created.")


@dataclasses.dataclass(frozen=True)
class Work:
    title: str
    operation: str              # what one of them is
    goal_ns: float | None = None
    missed: str = ""            # why, shown beneath it only while the goal is missed
    faster: dict[str, str] = dataclasses.field(default_factory=dict)  # a rival and why, while it is


WORKS = {
    "await": Work(
        "ready child await",
        "An async function that ends without waiting is called and awaited, and its result is used. In Go, where every "
        "function may wait, that is a plain call, kept from being inlined.", 10,
        "It is 133 instructions, most of them GCC's: a frame is made, entered, left and destroyed by three functions. "
        "The memory is a dozen, the record of who awaits whom and where is ten.",
        {"go": "no frame is made, and nothing is noted."}),
    "spawn": Work(
        "spawn + join, one",
        "A child is started in a group that stays open, and joined before the next one is: `create_task` and "
        "`co_await` of its handle; Asio `co_spawn`; oneTBB `task_group::run` and `wait`; Go a goroutine and a "
        "`WaitGroup`; Python `TaskGroup.create_task` and `await`.", 60,
        "Two steps of the loop, each with a look at the coarse clock (5 ns) so that a slow one can be named; two "
        "blocks of memory; the child enters and leaves the loop's registry, its scope's members and its waiter's list.",
        {"tbb": _FUNCTION}),
    "spawn_100": Work(
        "spawn + join, of 100",
        "A hundred children are started in a new group, which is then joined as a whole; the time is one child's "
        "share. Asio, which has no groups, counts its children down in their completion handlers.", 60,
        "As above, with one step instead of two.",
        {"tbb": _FUNCTION}),
    "switch": Work(
        "switch",
        "A task goes to the end of the ready queue and the next one runs; two tasks take turns: `sleep(0s)`; Asio "
        "`post`; Go `Gosched`; Python `sleep(0)`.", 20,
        "A third of it is the look at the coarse clock after each step, by which a slow one is named."),
    "queue": Work(
        "queue ping-pong",
        "One round trip between two tasks over two bounded queues of one item: two puts, two gets, two switches. Asio "
        "`channel`; Go `chan`.", 60,
        "Two switches are half of it; the rest are four awaits, each a checkpoint that can be cancelled."),
    "timeout": Work(
        "`timeout` scope",
        "A deadline five seconds away is set around a block that awaits the child of the first row, and is taken back "
        "at the end of the block: `timeout(5s, body)`; Asio `child() || timer.async_wait()`; Go `context.WithTimeout` "
        "and `cancel`; Python `async with asyncio.timeout(5)`. The child is included.", 60,
        "23 ns of it are the look at the precise clock: on the coarse one a deadline could come early. Two frames, the "
        "block's and the child's, are most of the rest."),
    "timer": Work(
        "timer, taken back and set",
        "Of 100,000 pending timers, 60 to 120 seconds away, the oldest is cancelled and set again to a moment among "
        "theirs; the loop has a turn after each thousand. `Timer::cancel` and `TimerQueue::add`; Asio `cancel`, "
        "`expires_at` and `async_wait`; Go `Stop` and `Reset`; asyncio, whose timers cannot be set again, `cancel` and "
        "`call_later`.", 50),
    "call_later": Work(
        "`call_later` and `cancel`",
        "Beside as many pending ones, a timer and its callback are made, for a delay from now, and cancelled at once. "
        "Asio a new `steady_timer` and `async_wait`; Go `AfterFunc` and `Stop`.",
        faster={"asio": "its timer lives where it is declared; ours may be forgotten by whoever set it, so it is "
                        "allocated and counted."}),
    "wake": Work(
        "cross-thread wake, there and back",
        "Two threads, each on a core of its own and asleep in its loop, wake each other: `call_soon_threadsafe`; bare: "
        "a blocking `read` and a `write` on two eventfds; Asio `post`; Go two goroutines that are locked to their "
        "threads and two channels. One operation is two wake-ups.",
        missed="Beyond the two system calls of a bare wake, the loop looks at the clock, its timers and what was "
               "posted, and a posted call is allocated."),
}
WAKE_RATIO_MAX = 1.2  # of the bare eventfds'

COLUMNS = {
    OURS: "Coracle, GCC",
    CLANG: "Coracle, Clang",
    BARE: "bare eventfds",
    "asio": "Asio",
    "tbb": "oneTBB",
    "go": "Go",
    "uvloop": "uvloop",
    "asyncio": "asyncio",
}
WITHOUT = {  # what a rival does not have
    BARE: WORKS.keys() - {"wake"},
    "tbb": WORKS.keys() - {"spawn", "spawn_100"},
}


class MicroFailed(RuntimeError):
    """A program ended with an error, or did not tell its figure; the message says which."""


def command(name: str) -> list[str]:
    """How a contender's program is called."""
    if name in ("asyncio", "uvloop"):
        return [paths.PYTHON, str(paths.BENCH / "micro/micro.py"), name]
    if name == "go":
        return [str(paths.SCRATCH / "micro")]
    if name == CLANG:
        return [str(paths.ROOT / "build/clang/bench/micro_coracle")]
    return [str(paths.PROGRAMS / f"micro_{name}")]


def has(name: str, work: str) -> bool:
    return work not in WITHOUT.get(name, ())


def build():
    programs.require_header("tbb/task_group.h", "libtbb-dev")
    programs.build_one("release", "micro_tbb")
    programs.build_one("clang", "micro_coracle")
    programs.build_go("micro/micro.go", "micro")


def once(name: str, work: str, share: float = 1, pinned: bool = True) -> float:
    """Nanoseconds of one operation, from one repetition."""
    cores = f"{SERVER_CORE},{CLIENT_CORE}" if work == "wake" else SERVER_CORE
    words = (["taskset", "-c", cores] if pinned else []) + command(name)
    words += ["--work", work, "--share", str(share)]
    done = subprocess.run(words, capture_output=True, text=True)
    said = (done.stderr.strip() or "no word of why").splitlines()[-1]
    if done.returncode != 0:
        raise MicroFailed(f"{' '.join(words)}: {said}")
    try:
        nanoseconds = json.loads(done.stdout)[work]
    except (ValueError, KeyError):
        raise MicroFailed(f"{' '.join(words)}: no figure of {work} in {done.stdout!r}") from None
    if not nanoseconds > 0:
        raise MicroFailed(f"{' '.join(words)}: {work} took {nanoseconds} ns")
    return nanoseconds


def measure(run: Run):
    build()
    failed: set[str] = set()
    for turn in range(run.pairs):
        for work in WORKS:
            names = [name for name in COLUMNS if has(name, work) and name not in failed]
            for name in names if turn % 2 == 0 else reversed(names):
                try:
                    sample = once(name, work)
                except (MicroFailed, OSError) as error:
                    run.failed("micro", name, error)
                    failed.add(name)
                    continue
                run.keep("micro", work, name, sample, f"{shown(sample)} ns")


def measured(store: Store, work: str, name: str = OURS) -> Figure | None:
    samples = store.series("micro", work).get(name)
    return figure(samples) if samples else None


def wake_ratio(store: Store, name: str = OURS) -> Figure | None:
    """Over the bare eventfds, each repetition over the one beside it."""
    series = store.series("micro", "wake")
    pairs = list(zip(series.get(name, []), series.get(BARE, [])))
    return figure(ours / bare for ours, bare in pairs) if pairs else None


def shown(nanoseconds: float) -> str:
    return f"{nanoseconds:.1f}" if nanoseconds < 100 else markdown.count(nanoseconds)


def tables(store: Store) -> Iterator[str]:
    names = [name for name in COLUMNS if any(measured(store, work, name) for work in WORKS)]
    if OURS not in names:
        return
    yield ("Nanoseconds per operation. Every program does the same in its own words, with all of its bookkeeping and "
           "cancellation on, and checks the sum of what it did; – is where a contender has no such thing. One thread; "
           "all the C++ but one column by GCC, at the same level.")
    yield from markdown.table(
        ["", "goal", *(COLUMNS[name] for name in names)],
        ([work.title, _goal(work, key), *(_cell(store, key, name) for name in names)]
         for key, work in WORKS.items()))
    if ratio := wake_ratio(store):
        yield f"The wake over the bare eventfds' beside it: {ratio.shown()} ×."
        yield ""
    for key, work in WORKS.items():
        yield f"- **{work.title}** (`{key}`): {work.operation}"
        if work.missed and _is_missed(store, key):
            yield f"  *Missed:* {work.missed}"
        for name, reason in work.faster.items():
            if _is_faster(store, key, name):
                yield f"  *{COLUMNS[name]} is faster:* {reason}"
    yield ""


def _goal(work: Work, key: str) -> str:
    if key == "wake":
        return f"{WAKE_RATIO_MAX} × bare"
    return "" if work.goal_ns is None else f"{work.goal_ns:.0f}"


def _is_missed(store: Store, key: str) -> bool:
    if key == "wake":
        ratio = wake_ratio(store)
        return ratio is not None and ratio.median > WAKE_RATIO_MAX
    ours, goal = measured(store, key), WORKS[key].goal_ns
    return ours is not None and goal is not None and ours.median > goal


def _is_faster(store: Store, key: str, name: str) -> bool:
    ours, theirs = measured(store, key), measured(store, key, name)
    return ours is not None and theirs is not None and theirs.median < ours.median


def _cell(store: Store, work: str, name: str) -> str:
    told = measured(store, work, name)
    if told is None:
        return "–"
    cell = told.shown(shown)
    return f"**{cell}**" if name in (OURS, CLANG) else cell
