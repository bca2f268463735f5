# SPDX-License-Identifier: Apache-2.0
"""The TCP echo: what a message costs beyond its system calls, on each backend of the loop."""

import dataclasses
from collections.abc import Iterator

from harness import client, contenders, markdown, pairs, paths
from harness.contenders import Contender
from harness.quartiles import Figure, figure
from harness.run import Run
from harness.server import ServerFailed
from harness.store import Store

from . import paired

title = "TCP echo, one message outstanding on each connection"

BACKENDS = ("epoll", "io_uring", "libuv")
GOAL = 1.10  # CPU per message ÷ floor
RIVAL_TURNS = 3  # rivals take part in every third turn, and with 64 connections only

# Why a backend misses the goal, said beneath the table where it does.
_EVERYWHERE = (
    "a message takes some 1,100 instructions beside its system calls, the floor's 100, and a connection that is alone "
    "finds them out of the cache each time; `read()` copies out of the one buffer that all streams share, so that an "
    "idle one holds none, which is 0.3 µs at 16 KiB")
REASONS = {
    "epoll": _EVERYWHERE,
    "io_uring": _EVERYWHERE,
    "libuv": f"{_EVERYWHERE}; and libuv reports states rather than changes, so the kernel looks once more at whatever "
             "was ready",
}
RING_REASON = ("with one connection the wait is one system call per message on both, and with more of them either "
               "waits once for dozens; what io_uring saves is less than the noise of the hour")


@dataclasses.dataclass(frozen=True)
class Work:
    connections: int
    bytes: int

    @property
    def title(self) -> str:
        size = f"{self.bytes // 1024} KiB" if self.bytes >= 1024 else f"{self.bytes} B"
        return f"{size} at {self.connections} connection{'s' if self.connections > 1 else ''}"

    @property
    def options(self) -> dict:
        """Those of load/echo_load.cc."""
        return dict(connections=self.connections, bytes=self.bytes)


WORKS = {f"c{connections}-b{size}": Work(connections, size)
         for connections in (1, 64, 512) for size in (64, 16384)}
RIVAL_WORKS = {name: work for name, work in WORKS.items() if work.connections == 64}

FLOOR = Contender(contenders.FLOOR, "floor (bare epoll)", (
    str(paths.PROGRAMS / "echo_floor"), "--port", "{port}"))
AGAIN = dataclasses.replace(FLOOR, name=contenders.AGAIN, title="floor, as if another")


def coracle(backend: str) -> Contender:
    """Ends at once rather than run on another backend."""
    return Contender(f"coracle_{backend}", f"Coracle, {backend}", (
        str(paths.PROGRAMS / "echo"), "--port", "{port}"), environment=(("CORACLE_LOOP", backend),))


def _python(loop: str, form: str) -> Contender:
    return Contender(f"{loop}_{form}", f"{loop} {form}", (
        paths.PYTHON, str(paths.BENCH / "servers/echo_app.py"), "{port}", loop, form))


OURS = {f"coracle_{backend}": coracle(backend) for backend in BACKENDS}
RIVALS = {  # by the server of contenders.ALL that --only names
    "beast": [Contender("asio", "Boost.Asio coroutines", (
        str(paths.PROGRAMS / "echo_asio"), "--port", "{port}"))],
    "go": [Contender("go", "Go", (str(paths.SCRATCH / "echo_go"), "{port}"),
                     environment=(("GOMAXPROCS", "1"),))],
    "aiohttp_uvloop": [_python("uvloop", "protocol"), _python("uvloop", "streams")],
    "aiohttp": [_python("asyncio", "protocol"), _python("asyncio", "streams")],
}
EVERYBODY = [FLOOR, AGAIN, *OURS.values(), *(rival for rivals in RIVALS.values() for rival in rivals)]


def measure(run: Run):
    named = [contender.name for contender in run.contenders]
    ours = list(OURS.values()) if contenders.CORACLE in named else []
    rivals = [rival for name in named for rival in RIVALS.get(name, [])]
    for turn in range(run.pairs):
        taking_part = [(contender, WORKS) for contender in (AGAIN, *ours)]
        if turn % RIVAL_TURNS == 0:
            taking_part += [(contender, RIVAL_WORKS) for contender in rivals]
        # The order turns about, so that none is always first.
        for contender, works in taking_part[::1 if turn % 2 == 0 else -1]:
            _measure_pair(run, contender, works, turn)


def _measure_pair(run: Run, contender: Contender, works: dict[str, Work], turn: int):
    options = {name: work.options for name, work in works.items()}
    try:
        for work, pair in pairs.pair(contender, options, run.seconds, turn, FLOOR, client.echo_load):
            run.keep("echo", work, contender.name, pair, paired.told(pair))
    except (ServerFailed, client.ClientFailed) as error:
        run.failed("echo", contender.name, error)


def over_floor(store: Store, backend: str) -> dict[str, Figure]:
    """CPU per message over the floor's, by work."""
    return _over_floor(store, coracle(backend).name)


def _over_floor(store: Store, server: str) -> dict[str, Figure]:
    measured = {work: store.series("echo", work).get(server) for work in WORKS}
    return {work: paired.ratio(series) for work, series in measured.items() if series}


def over_epoll(store: Store, backend: str = "io_uring") -> dict[str, Figure]:
    """CPU per message over that on epoll, by work; each over its floor, turn by turn."""
    found = {}
    for work in WORKS:
        mine, epoll = (store.series("echo", work).get(f"coracle_{name}", [])
                       for name in (backend, "epoll"))
        if mine and epoll:
            found[work] = figure(pairs.ratio(a) / pairs.ratio(b) for a, b in zip(mine, epoll))
    return found


def tables(store: Store) -> Iterator[str]:
    if not any(store.series("echo", work) for work in WORKS):
        return
    yield ("A connection sends a message, waits until all of it is back, sends the next. Every byte is checked. "
           "CPU per message, times the floor's; what the floor as if another misses 1.00 by is noise:")
    yield from _overview(store)
    for backend in BACKENDS:
        yield from _losses(f"Over {GOAL:g} × on {backend}", GOAL, over_floor(store, backend), REASONS[backend])
    yield from _losses("Dearer on io_uring than on epoll", 1.0, over_epoll(store), RING_REASON)
    yield (f"The rivals take part at 64 connections and in every third turn. Go has one processor; "
           f"asyncio and uvloop are shown with streams and with a bare protocol.")
    yield from markdown.table(["server", "command"], ([each.title, _command(each)] for each in EVERYBODY))
    titles = {contender.name: contender.title for contender in EVERYBODY}
    for name, work in WORKS.items():
        if series := store.series("echo", name):
            yield f"#### {work.title}"
            yield ""
            command = client.command("echo_load", client.CLIENT_CORE, port="N", **work.options)
            yield f"`{paths.relative(' '.join(command))}`"
            yield from paired.table(series, titles, OURS, noun="message")


def _overview(store: Store) -> Iterator[str]:
    columns = [_over_floor(store, AGAIN.name), *(over_floor(store, backend) for backend in BACKENDS),
               over_epoll(store)]
    yield from markdown.table(
        ["", AGAIN.title, *BACKENDS, "io_uring ÷ epoll"],
        ([work.title, *(column[name].shown() if name in column else "–" for column in columns)]
         for name, work in WORKS.items()))


def _losses(title: str, goal: float, measured: dict[str, Figure], reason: str) -> Iterator[str]:
    missed = [WORKS[work].title for work, each in measured.items() if each.median > goal]
    if missed:
        yield f"{title} ({', '.join(missed)}): {reason}."
        yield ""


def _command(contender: Contender) -> str:
    words = [f"{name}={value}" for name, value in contender.environment]
    words += [part.format(port="N") for part in contender.command]
    return f"`{paths.relative(' '.join(words))}`"
